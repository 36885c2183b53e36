/*
 * The player: whose turn it is.
 *
 * Each CPU has a list of steps, its part. A step is played by the task that
 * runs there, in the middle of its life: the steps are the program that it
 * runs. to() is the one that changes who that is; all that it does is to put
 * the next one on the run queue and this one to sleep, so that every switch is
 * the scheduler's. A step that sleeps, in a mutex say, stays that task's: the
 * idle task then waits, as idle tasks do.
 */
#include "kernel/base/string.h"
#include "kernel/hold.h"
#include "sched/kthread.h"
#include "sched/reaper.h"
#include "sched/sched.h"
#include "tests/explore/play.h"

/* ---- Calling ------------------------------------------------------------------- */

static bool
is_there(const void *actor)
{
	const struct actor *one = actor;

	return one->task || one->gone;
}

static bool
is_free(const void *actor)
{
	const struct actor *one = actor;

	return !one->claim || one->gone;
}

static bool
is_off(const void *task)
{
	return !((const struct task *)task)->on_cpu;
}

static u64
my_claim(void)
{
	return this_cpu()->id + 1;
}

bool
claim(struct actor *actor)
{
	for (;;) {
		explore_access(&actor->claim, sizeof(actor->claim), OP_UPDATE,
			       true, CALLER);
		if (actor->gone)
			return false;
		if (!actor->claim)
			break;
		explore_wait(&actor->claim, is_free, actor, CALLER);
	}
	actor->claim = my_claim();
	return true;
}

static void
release(struct actor *actor)
{
	explore_access(&actor->claim, sizeof(actor->claim), OP_UPDATE, true,
		       CALLER);
	actor->claim = 0;
}

/* He is claimed, asleep, or will be. When he has left the CPU where he was, he may
 * run on this one. */
static void
bring_here(struct actor *next)
{
	if (next->cpu != this_cpu()->id)
		explore_wait(&next->task->on_cpu, is_off, next->task, CALLER);
	next->cpu = this_cpu()->id;
	next->task->affinity = 1ul << this_cpu()->id;
}

/*
 * Brings @next to this CPU; he is asleep, or will be, perhaps on another one.
 * If he plays here already, then he sleeps inside a step (vfork), and wakes up
 * by himself. False: he has exited meanwhile.
 */
static bool
call(struct actor *next)
{
	struct task *task;

	if (next->unborn)
		explore_wait(&next->task, is_there, next, CALLER);
	task = next->task;
	if (!task)
		return false;
	if (next->claim == my_claim() && !next->gone)
		return true;
	if (!claim(next))
		return false;
	bring_here(next);
	if (task->state == TASK_NEW)
		wake_up_new_task(task);
	else
		wake_up_task(task);
	return true;
}

static void
sleep_until_called(struct actor *me)
{
	while (!me->claim && !stage.quit) {
		set_current_state(TASK_SLEEPING);
		schedule();
	}
}

/* Sleeps until called again, perhaps to another CPU. */
static void
fall_asleep(struct actor *me)
{
	set_current_state(TASK_SLEEPING);
	release(me);
	schedule();
	sleep_until_called(me);
}

/* The idle task only has to wait for its turn: see be_idle(). */
static void
leave(struct actor *me)
{
	if (me && me->gone)
		me->left = true;
	else if (me)
		fall_asleep(me);
}

void
play_to(struct step *step)
{
	struct part *part = my_part();
	struct actor *next = step->actor;

	part->skips = next && !call(next);
	part->turn = part->skips ? IDLE : next;
	leave(self());
}

/* ---- Messages -------------------------------------------------------------------- */

/* What guards the endpoints, as kernel/ipc/fast.c has it: held up to the switch. */
static struct spinlock endpoints RESTORED = { .name = "endpoints",
					      .rank = RANK_IPC };

/* Falls asleep under the lock; @next, if not NULL, is asleep and takes over. */
static void
switch_under_lock(struct actor *me, struct task *next)
{
	arch_irq_disable();
	spin_lock(&endpoints);
	release(me);
	if (next)
		switch_to_sleeper(next, &endpoints);
	else
		switch_to_next(&endpoints);
	arch_irq_enable();
	sleep_until_called(me);
}

void
play_send(struct step *step)
{
	struct actor *next = step->actor;

	ASSERT(next->task && next->task->state != TASK_NEW);
	if (!claim(next))
		return;
	bring_here(next);
	my_part()->turn = next;
	switch_under_lock(self(), next->task);
}

void
play_receive(struct step *step)
{
	struct actor *next = step->actor;

	if (next && !call(next))
		return;
	my_part()->turn = next;
	switch_under_lock(self(), NULL);
}

/* ---- Dying ----------------------------------------------------------------------- */

/* Who waits for him need not wait any longer. */
void
dies(struct actor *actor)
{
	explore_access(&actor->task, sizeof(actor->task), OP_UPDATE, true,
		       CALLER);
	explore_access(&actor->claim, sizeof(actor->claim), OP_UPDATE, true,
		       CALLER);
	actor->gone = true;
}

/* A process's exit stops here when it is dead but for its last switch: it
 * plays on, until that comes. */
void
hold_point(enum lodger_hold_point point)
{
	struct actor *me = self();
	int number = number_of_task(current);

	if (point != LODGER_HOLD_DEAD)
		return;
	if (stage.model.home[number] != MODEL_NOTHING)
		model_exit(&stage.model, (int)this_cpu()->id, number);
	dies(me);
	/* A vfork parent that was killed may find its child's turn begun. */
	if (my_part()->turn != me)
		me->left = true;
	else if (!stage.quit)
		play_on();
}

/* ---- The end of a part ----------------------------------------------------------- */

static bool
is_set(const void *word)
{
	return *(const u64 *)word != 0;
}

static void
announce(u64 *word)
{
	explore_access(word, sizeof(*word), OP_WRITE, true, CALLER);
	*word = 1;
}

/*
 * Nothing is explored from here on: the CPUs come one after the other, the last
 * one first, when all have played their parts.
 */
static void
wait_for_exit(void)
{
	unsigned me = this_cpu()->id;

	announce(&my_part()->over);
	if (me + 1 < stage.cpus) {
		u64 *word = &stage.parts[me + 1].left;

		sim_rest_until(word, is_set, word);
		return;
	}
	for (unsigned cpu = 0; cpu < me; cpu++) {
		u64 *word = &stage.parts[cpu].over;

		sim_rest_until(word, is_set, word);
	}
}

/* Everybody who is left, wherever he sleeps, ends on this CPU. */
static void
dismiss(struct actor *actor)
{
	struct task *task = actor->task;

	if (!task || actor->left)
		return;
	task->affinity = 1ul << this_cpu()->id;
	if (task->state == TASK_NEW)
		wake_up_new_task(task);
	else
		wake_up_task(task);
	schedule();
}

static void
give_back(void)
{
	if (current->active_mm == &init_mm)
		return;
	return_borrow();
	model_return(&stage.model, (int)this_cpu()->id);
}

/* The dead are reaped and their processes collected. */
static void
bury(void)
{
	struct task *reaper = reaper_start();
	int status;

	schedule();
	task_free(reaper);
	current->process = init_process;
	while (kernel_wait(&status) > 0)
		;
	current->process = NULL;
}

static void
clear_stage(void)
{
	stage.quit = true;
	for (unsigned i = 0; i < stage.nr_actors; i++)
		dismiss(&stage.actors[i]);
	give_back();
	bury();
	check_at_end();
	stage.cleared = true;
}

/* The idle task, when nobody plays on this CPU any more. */
static void
go_home(void)
{
	struct part *part = my_part();

	give_back();
	if (this_cpu()->id == 0)
		clear_stage();
	explore_quiet_end();
	announce(&part->left);
	sim_cpu_done();
}

/* ---- Playing --------------------------------------------------------------------- */

static void
play_next(struct part *part)
{
	struct step *step = &part->steps[part->next++];
	const struct actor *me = self();

	part->doing = step;
	if (step->play == play_to || !(part->skips || (me && me->gone)))
		step->play(step);
	else if (step->actor && step->actor->unborn)
		dies(step->actor); /* before he is born */
}

/* The part is over for current, which is @me, or idle. */
static void
end_part(struct actor *me)
{
	if (stage.goes_on)
		sim_cpu_done();
	wait_for_exit();
	explore_quiet_begin();
	my_part()->turn = NULL;
	leave(me);
}

void
play_on(void)
{
	struct actor *me = self();

	while (!me->left && !stage.quit) {
		struct part *part = my_part();

		part->doing = NULL;
		sim_rest();
		if (part->next < part->nr)
			play_next(part);
		else
			end_part(me);
	}
}

static void
work(const struct actor *me)
{
	for (;;) {
		set_current_state(TASK_SLEEPING);
		schedule();
		if (stage.quit)
			break;
		if (me->body)
			me->body();
	}
}

/* Where user tasks, kernel threads and forked children begin. */
void
perform(void)
{
	const struct actor *me = self();

	if (me->works)
		work(me);
	else
		play_on();
	let_go();
	if (current->process)
		do_exit(0);
}

/* As the kernel's idle loop: sleeps until there is somebody to run. */
static void
be_idle(void)
{
	struct cpu *cpu = this_cpu();

	arch_irq_disable();
	explore_access(&cpu->need_resched, 1, OP_READ, true, CALLER);
	if (cpu->need_resched) {
		arch_irq_enable();
		schedule();
	} else {
		arch_idle_wait();
	}
}

/* The idle task's life. */
static void
play_cpu(unsigned cpu)
{
	struct part *part = &stage.parts[cpu];

	for (;;) {
		if (part->turn) {
			be_idle();
			continue;
		}
		if (part->over)
			go_home();
		part->doing = NULL;
		sim_rest();
		if (part->turn)
			continue;
		if (part->next < part->nr)
			play_next(part);
		else if (stage.real_idle)
			idle_loop();
		else
			end_part(NULL);
	}
}

/* ---- Set-up ------------------------------------------------------------------------ */

void
add_steps(unsigned cpu, const struct step *steps, size_t n)
{
	struct part *part = &stage.parts[cpu];

	ASSERT(cpu < stage.cpus && part->nr + n <= MAX_STEPS);
	memcpy(&part->steps[part->nr], steps, n * sizeof(*steps));
	part->nr += (unsigned)n;
}

void
given(void)
{
	ASSERT(stage.nr_acts < MAX_ACTS);
	for (unsigned cpu = 0; cpu < stage.cpus; cpu++)
		stage.parts[cpu].act_ends[stage.nr_acts] =
			stage.parts[cpu].nr;
	stage.nr_acts++;
}

/* Act by act, one CPU after the other. A part is at rest once before its first
 * step, and once after each. */
static void
play_given(void)
{
	for (unsigned act = 0; act < stage.nr_acts; act++) {
		for (unsigned cpu = 0; cpu < stage.cpus; cpu++) {
			struct part *part = &stage.parts[cpu];
			unsigned steps = part->act_ends[act] - part->next;

			if (!steps)
				continue;
			sim_run_alone(cpu, steps + !part->begun);
			part->begun = true;
		}
	}
}

void
real_idle(void)
{
	stage.real_idle = true;
	stage.goes_on = true;
}

void
ticks(unsigned cpu, unsigned n)
{
	sim_allow_ticks(cpu, n);
}

void
failures(unsigned n)
{
	stage.failures = n;
	sim_allow_failures(n);
}

static void
switched(struct task *prev, struct task *next)
{
	model_switch(&stage.model, (int)this_cpu()->id, number_of_task(prev),
		     number_of_task(next));
}

static const struct scenario *playing;

static void
set_up(void)
{
	stage.cpus = playing->cpus;
	stage.frames = sim_frames_in_use();
	stage.objects = sim_objects_in_use();
	stage.spaces[stage.nr_spaces++] = (struct space){
		.mm = &init_mm, .id = init_mm.id, .root = init_mm.root,
		.name = "init",
	};
	model_boot(&stage.model, playing->cpus);
	playing->set_up();
}

void
scenario_boot(const struct scenario *scenario)
{
	playing = scenario;
	sim_prologue = play_given;
	sim_at_rest = check_at_rest;
	sim_at_end = what_is_missing;
	sim_on_switch = switched;
	sim_user_body = perform;
	sim_boot(scenario->cpus, set_up, play_cpu);
}
