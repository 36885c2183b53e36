/* The reference model. See tests/explore/model.h. */
#include "tests/explore/model.h"

void
model_boot(struct model *model, unsigned cpus)
{
	*model = (struct model){ 0 };
	for (int task = 0; task < MODEL_TASKS; task++)
		model->home[task] = MODEL_NOTHING;
	for (unsigned cpu = 0; cpu < MODEL_CPUS; cpu++)
		model->borrowed[cpu] = cpu < cpus ? MODEL_INIT : MODEL_NOTHING;
	model->users[MODEL_INIT] = 1; /* the static reference */
	model->others[MODEL_INIT] = (int)cpus;
}

/* ---- Living in one ------------------------------------------------------- */

void
model_new(struct model *model, int mm, int task)
{
	model->users[mm] = 1;
	model->home[task] = mm;
}

void
model_clone(struct model *model, int child, int parent)
{
	model->home[child] = model->home[parent];
	model->users[model->home[child]]++;
}

void
model_build(struct model *model, int mm)
{
	model->users[mm] = 1;
}

/* What the kernel thread on @cpu borrowed, nobody there does any more. */
static void
give_back(struct model *model, int cpu)
{
	model->others[model->borrowed[cpu]]--;
	model->borrowed[cpu] = MODEL_NOTHING;
}

static void
borrow(struct model *model, int cpu, int mm)
{
	model->others[mm]++;
	model->borrowed[cpu] = mm;
}

void
model_exec(struct model *model, int cpu, int task, int mm)
{
	if (model->home[task] == MODEL_NOTHING)
		give_back(model, cpu);
	else
		model->users[model->home[task]]--;
	model->home[task] = mm; /* whose 1 is the builder's */
}

void
model_exit(struct model *model, int cpu, int task)
{
	model->users[model->home[task]]--;
	borrow(model, cpu, model->home[task]);
	model->home[task] = MODEL_NOTHING;
}

/* ---- Borrowing ------------------------------------------------------------ */

void
model_switch(struct model *model, int cpu, int from, int to)
{
	int old = model->home[from], new = model->home[to];

	if (old != MODEL_NOTHING && new == MODEL_NOTHING)
		borrow(model, cpu, old);
	else if (old == MODEL_NOTHING && new != MODEL_NOTHING)
		give_back(model, cpu);
}

void
model_adopt(struct model *model, int cpu, int task, int mm)
{
	model->others[mm]++;
	give_back(model, cpu);
	model->home[task] = mm;
}

void
model_abandon(struct model *model, int cpu, int task)
{
	model->others[model->home[task]]--;
	borrow(model, cpu, model->home[task]);
	model->home[task] = MODEL_NOTHING;
}

void
model_return(struct model *model, int cpu)
{
	give_back(model, cpu);
	borrow(model, cpu, MODEL_INIT);
}

void
model_offline(struct model *model, int cpu)
{
	give_back(model, cpu);
}

void
model_online(struct model *model, int cpu)
{
	borrow(model, cpu, MODEL_INIT);
}

/* ---- Outsiders ------------------------------------------------------------ */

void
model_get(struct model *model, int mm)
{
	model->users[mm]++;
}

void
model_put(struct model *model, int mm)
{
	model->users[mm]--;
}

void
model_pin(struct model *model, int mm)
{
	model->others[mm]++;
}

void
model_unpin(struct model *model, int mm)
{
	model->others[mm]--;
}

/* ---- The sums ------------------------------------------------------------- */

int
model_users(const struct model *model, int mm)
{
	return model->users[mm];
}

int
model_count(const struct model *model, int mm)
{
	return model->others[mm] + (model->users[mm] > 0);
}
