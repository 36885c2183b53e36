// linux-oracle
/* Process groups and sessions: who may change what, the four forms of wait4,
 * and what a handler's process inherits. */
#include "tests/user/check.h"

static _Atomic int *words;

static long
error_of(long result)
{
	return result < 0 ? -errno : result;
}

/* A child that does nothing until it is killed. */
static pid_t
idle_child(void)
{
	pid_t pid = fork_or_die();

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static void
end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	status_of(pid);
}

/* The rest runs in a session of its own, so that it is the same wherever the
 * test runs: its leader. */
static void
leader(void)
{
	pid_t me = getpid();

	check(setsid() == me, "setsid names the session after its leader");
	check(getsid(0) == me && getpgrp() == me && getpgid(0) == me,
	      "and its first group");
	check(getsid(me) == me && getpgid(me) == me, "by its pid, too");
	show_expect("setsid again", error_of(setsid()), -EPERM);
	show_expect("a leader to another group", error_of(setpgid(0, 0)),
		    -EPERM);
	show_expect("getpgid of nobody", error_of(getpgid(999999)), -ESRCH);
	show_expect("getsid of nobody", error_of(getsid(999999)), -ESRCH);
	show_expect("setpgid of nobody", error_of(setpgid(999999, 0)), -ESRCH);
	show_expect("setpgid to -1", error_of(setpgid(0, -1)), -EINVAL);
}

static void
groups(void)
{
	pid_t a = idle_child(), b = idle_child();

	check(getpgid(a) == getpid() && getsid(a) == getpid(),
	      "children are born into group and session");
	show_expect("a child to a group that is not", error_of(setpgid(a, b)),
		    -EPERM);
	show_expect("to a group of its own", error_of(setpgid(a, a)), 0);
	check(getpgid(a) == a, "which has its pid");
	show_expect("another one joins", error_of(setpgid(b, a)), 0);
	check(getpgid(b) == a, "and is there");
	show_expect("and goes to its own", error_of(setpgid(b, 0)), 0);
	check(getpgid(b) == b && getsid(b) == getpid(),
	      "in the same session still");
	setpgid(b, a);
	end_child(a);
	check(getpgid(b) == a, "a group outlives its first process");
	show_expect("it can be left", error_of(setpgid(b, getpid())), 0);
	show_expect("then it is gone", error_of(setpgid(b, a)), -EPERM);
	end_child(b);
}

static void
in_other_session(void)
{
	pid_t pid = fork_or_die(), other;

	if (pid == 0) {
		setsid();
		signal_word(&words[0], 1);
		for (;;)
			pause();
	}
	await_word(&words[0], 1);
	check(getsid(pid) == pid, "a child makes a session");
	show_expect("out of it with setpgid", error_of(setpgid(pid, getpid())),
		    -EPERM);
	other = idle_child();
	show_expect("another child into it", error_of(setpgid(other, pid)),
		    -EPERM);
	end_child(other);
	end_child(pid);
}

static void
strangers(void)
{
	pid_t child = fork_or_die(), grandchild;

	if (child == 0) {
		words[1] = idle_child();
		signal_word(&words[2], 1);
		for (;;)
			pause();
	}
	await_word(&words[2], 1);
	grandchild = words[1];
	show_expect("setpgid of a grandchild", error_of(setpgid(grandchild, 0)),
		    -ESRCH);
	show_expect("of the parent", error_of(setpgid(getppid(), 0)), -ESRCH);
	check(getpgid(grandchild) == getpid(), "looking is allowed");
	kill(grandchild, SIGKILL);
	end_child(child);
}

static void
after_exec(char *self)
{
	pid_t pid = fork_or_die();

	if (pid == 0) {
		char *argv[] = { self, "sleep", NULL };
		char *env[] = { NULL };

		execve(self, argv, env);
		_exit(9);
	}
	/* It stops when it is the new program. */
	waitpid(pid, NULL, WUNTRACED);
	show_expect("setpgid of a child after its exec",
		    error_of(setpgid(pid, 0)), -EACCES);
	end_child(pid);
}

/* ---- wait4 --------------------------------------------------------------------- */

static pid_t
exits_in_group(int code, pid_t group)
{
	pid_t pid = fork_or_die();

	if (pid == 0) {
		setpgid(0, group);
		_exit(code);
	}
	setpgid(pid, group);
	return pid;
}

static long
wait_code(pid_t pid, int options)
{
	int status = 0;
	pid_t found = waitpid(pid, &status, options);

	return found < 0 ? -errno : found ? WEXITSTATUS(status) : -1000;
}

static void
four_forms(void)
{
	pid_t anchor = idle_child();
	pid_t mine, pid;

	setpgid(anchor, anchor);
	mine = exits_in_group(1, getpid());
	exits_in_group(2, anchor);
	exits_in_group(3, anchor);
	check_equal(wait_code(-anchor, 0) + wait_code(-anchor, 0), 5,
		    "-group: the two that are there");
	check_equal(wait_code(-anchor, WNOHANG), -1000, "and the third lives");
	check_equal(wait_code(0, 0), 1, "0: one of the caller's group");
	show_expect("then there is none", wait_code(0, 0), -ECHILD);
	show_expect("a group that is not", wait_code(-mine, 0), -ECHILD);
	pid = exits_in_group(4, anchor);
	check_equal(wait_code(-1, 0), 4, "-1: any");
	show_expect("it is gone", wait_code(pid, 0), -ECHILD);
	show_expect("a group that cannot be",
		    syscall6(SYS_wait4, (int)0x80000000, 0, 0, 0, 0, 0),
		    -ESRCH);
	pid = exits_in_group(6, 0);
	check_equal(wait_code(pid, 0x40000000 /* __WALL */), 6, "pid: one");
	end_child(anchor);
}

int
main(int argc, char **argv)
{
	pid_t pid;

	if (argc > 1 && strcmp(argv[1], "sleep") == 0) {
		raise(SIGSTOP);
		pause();
	}
	begin();
	words = shared_memory(PAGE);
	pid = fork_or_die();
	if (pid == 0) {
		leader();
		groups();
		in_other_session();
		strangers();
		after_exec(argv[0]);
		four_forms();
		_exit(wrong_results);
	}
	check_equal(status_of(pid), EXITED(0), "all in a session of its own");
	return end();
}
