/*
 * Processes, and what they print.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arch/sim/jobs.h"

struct job {
	pid_t process;		/* 0: has ended */
	FILE *output;		/* what it printed */
	int status;
};

static void __noreturn
give_up(const char *what)
{
	perror(what);
	exit(15);		/* EXPLORE_TOOL_ERROR */
}

void *
shared_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		give_up("mmap");
	return memory;
}

static void
start(struct job *job, void (*body)(unsigned i), unsigned i)
{
	job->output = tmpfile();
	if (!job->output)
		give_up("tmpfile");
	fflush(stdout);
	job->process = fork();
	if (job->process < 0)
		give_up("fork");
	if (job->process)
		return;
	dup2(fileno(job->output), STDOUT_FILENO);
	dup2(fileno(job->output), STDERR_FILENO);
	body(i);
	fflush(stdout);
	_exit(0);
}

static void
wait_for_one(struct job *jobs, unsigned n)
{
	int status;
	pid_t process = wait(&status);

	if (process < 0)
		give_up("wait");
	for (unsigned i = 0; i < n; i++) {
		if (jobs[i].process != process)
			continue;
		jobs[i].process = 0;
		jobs[i].status = status;
	}
}

static void
copy_output(const struct job *job)
{
	char text[4096];
	size_t n;

	rewind(job->output);
	while ((n = fread(text, 1, sizeof(text), job->output)) > 0)
		fwrite(text, 1, n, stdout);
	fflush(stdout);
	fclose(job->output);
}

static const char *
how_it_ended(int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		return "it hangs";
	if (WIFSIGNALED(status))
		return strsignal(WTERMSIG(status));
	return WEXITSTATUS(status) ? "it gave up" : NULL;
}

static int
exit_code(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
stop_all(struct job *jobs, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (jobs[i].process)
			kill(jobs[i].process, SIGKILL);
}

void
run_jobs(unsigned n, unsigned at_once, void (*body)(unsigned i),
	 bool (*ended)(unsigned i, int code, const char *why))
{
	struct job *jobs = calloc(n + 1, sizeof(*jobs));
	unsigned started = 0, reported = 0, over = 0;

	if (!jobs)
		give_up("calloc");
	while (reported < n) {
		for (; started < n && started - over < at_once; started++)
			start(&jobs[started], body, started);
		wait_for_one(jobs, started);
		over++;
		for (; reported < started && !jobs[reported].process;
		     reported++) {
			int status = jobs[reported].status;

			copy_output(&jobs[reported]);
			if (ended(reported, exit_code(status),
				  how_it_ended(status)))
				continue;
			stop_all(jobs, started);
			n = 0;
			break;
		}
	}
	free(jobs);
}
