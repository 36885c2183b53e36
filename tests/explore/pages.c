/*
 * User pages, and who may find what in them.
 *
 * Every value written says whose it is: which address space, and how many forks
 * of it had ended by then. So a reader can tell what is his own, what he has
 * from a parent before the fork, and what he should never see.
 */
#include "kernel/base/errno.h"
#include "mm/remote.h"
#include "mm/usercopy.h"
#include "tests/explore/play.h"

enum { MAGIC_SHIFT = 48, SPACE_SHIFT = 32, MAGIC = 0x10d9 };

/* ---- Marks ----------------------------------------------------------------- */

static u64
mark(const struct space *space, u64 forks)
{
	return (u64)MAGIC << MAGIC_SHIFT |
	       (u64)number_of_space(space) << SPACE_SHIFT | forks;
}

u64
newest_mark(const struct space *space)
{
	return mark(space, space->forks);
}

bool
is_ours(const struct space *space, u64 value)
{
	u64 forks = space->forks;

	for (; space; forks = space->born, space = space->parent) {
		if (value >= mark(space, 0) && value <= mark(space, forks))
			return true;
	}
	return false;
}

static const char *
owner(u64 value)
{
	unsigned number = (value >> SPACE_SHIFT) & 0xffff;

	if (value >> MAGIC_SHIFT != MAGIC || number >= stage.nr_spaces)
		return "nobody";
	return stage.spaces[number].name;
}

/* ---- What is known of a page ------------------------------------------------- */

static unsigned
page_number(uaddr_t addr)
{
	unsigned number = addr >= MORE ? PAGES
				       : (unsigned)((addr - DATA) / PAGE_SIZE);

	ASSERT(number < KNOWN_PAGES);
	return number;
}

static struct known_page *
page_at(struct space *space, uaddr_t addr)
{
	return &space->pages[page_number(addr)];
}

static u64
look(u64 *word)
{
	explore_access(word, sizeof(*word), OP_READ, true, CALLER);
	return *word;
}

static void
set(u64 *word, u64 value)
{
	explore_access(word, sizeof(*word), OP_WRITE, true, CALLER);
	*word = value;
}

void
inherit_pages(struct space *child, struct space *parent)
{
	for (unsigned i = 0; i < KNOWN_PAGES; i++)
		child->pages[i] = parent->pages[i];
	child->parent = parent;
	explore_access(&parent->forks, sizeof(parent->forks), OP_UPDATE, true,
		       CALLER);
	child->born = parent->forks++;
}

bool
add_pages(struct mm *mm, uaddr_t addr, unsigned pages)
{
	long got;

	mutex_lock(&mm->lock);
	got = do_mmap(mm, addr, pages * PAGE_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, false);
	mutex_unlock(&mm->lock);
	return got == (long)addr;
}

void
fill_page(struct space *space, uaddr_t addr)
{
	u64 value = mark(space, 0);

	if (mm_write(space->mm, addr, &value, sizeof(value)))
		panic("set-up has no memory");
}

/* ---- Changes ------------------------------------------------------------------ */

void
page_becomes(struct space *space, uaddr_t addr, u64 presence)
{
	set(&page_at(space, addr)->presence, presence);
}

static void
set_presence(struct space *space, const struct step *step, u64 presence)
{
	for (u64 i = 0; i < step->b; i++)
		page_becomes(space, step->a + i * PAGE_SIZE, presence);
}

static void
set_readonly(struct space *space, const struct step *step, u64 readonly)
{
	for (u64 i = 0; i < step->b; i++)
		set(&page_at(space, step->a + i * PAGE_SIZE)->readonly,
		    readonly);
}

static void
set_zeroed(struct space *space, const struct step *step)
{
	for (u64 i = 0; i < step->b; i++)
		page_at(space, step->a + i * PAGE_SIZE)->zeroed = true;
}

static void
must(const char *what, long err)
{
	if (err && !(err == -ENOMEM && sim_may_fail))
		explore_fail(EXPLORE_VIOLATION, "%s of %s fails: %ld", what,
			     current->name, err);
}

void
play_unmap(struct step *step)
{
	struct mm *mm = current->mm;
	struct space *space = space_of(mm);
	int err;

	set_presence(space, step, GOING);
	mutex_lock(&mm->lock);
	err = do_munmap(mm, step->a, step->b * PAGE_SIZE);
	mutex_unlock(&mm->lock);
	must("munmap", err);
	set_presence(space, step, GONE);
}

void
play_map(struct step *step)
{
	struct space *space = space_of(current->mm);

	set_zeroed(space, step);
	set_presence(space, step, GOING);
	if (!add_pages(current->mm, step->a, (unsigned)step->b))
		must("mmap", -ENOMEM);
	set_presence(space, step, HERE);
}

void
play_discard(struct step *step)
{
	struct mm *mm = current->mm;
	int err;

	set_zeroed(space_of(mm), step);
	mutex_lock(&mm->lock);
	err = do_madvise(mm, step->a, step->b * PAGE_SIZE, MADV_DONTNEED);
	mutex_unlock(&mm->lock);
	must("madvise", err);
}

void
play_protect(struct step *step)
{
	struct mm *mm = current->mm;
	struct space *space = space_of(mm);
	int err;

	set_readonly(space, step, GOING);
	mutex_lock(&mm->lock);
	err = do_mprotect(mm, step->a, step->b * PAGE_SIZE, PROT_READ);
	mutex_unlock(&mm->lock);
	must("mprotect", err);
	set_readonly(space, step, GONE);
}

/* ---- Use ---------------------------------------------------------------------- */

/* An access that began when @presence was so ended with @err. */
static void
check_result(const struct space *space, const struct known_page *page,
	     u64 presence, const struct step *step, int err)
{
	bool writes = step->play == play_write;
	const char *verb = writes ? "writes to" : "reads from";
	u64 now = MAX(page->presence, writes ? page->readonly : HERE);

	if (!err && presence == GONE && now == GONE)
		explore_fail(EXPLORE_VIOLATION, "%s %s 0x%lx of %s, which "
			     "nobody may any more", current->name, verb,
			     step->a, space->name);
	if (err && presence == HERE && now == HERE)
		explore_fail(EXPLORE_VIOLATION, "%s %s 0x%lx of %s, which it "
			     "may, and gets %d", current->name, verb, step->a,
			     space->name, err);
}

/* An adopter does it as kernel threads do. */
static int
read_word(uaddr_t addr, u64 *value)
{
	if (current->is_kthread)
		return copy_from_user(value, addr, sizeof(*value));
	return sim_user_read(addr, value);
}

static int
write_word(uaddr_t addr, u64 value)
{
	if (current->is_kthread)
		return copy_to_user(addr, &value, sizeof(value));
	return sim_user_write(addr, value);
}

static void
read_in(struct space *space, struct step *step)
{
	struct known_page *page = page_at(space, step->a);
	u64 presence = look(&page->presence);
	u64 value = 0;
	int err = read_word(step->a, &value);

	if (!err && !is_ours(space, value) && !(page->zeroed && value == 0))
		explore_fail(EXPLORE_VIOLATION, "%s reads 0x%lx at 0x%lx of "
			     "%s: %s's", current->name, value, step->a,
			     space->name, owner(value));
	check_result(space, page, presence, step, err);
}

static void
write_in(struct space *space, struct step *step)
{
	struct known_page *page = page_at(space, step->a);
	u64 presence = MAX(look(&page->presence), look(&page->readonly));
	u64 forks = look(&space->forks);
	int err = write_word(step->a, mark(space, forks));

	check_result(space, page, presence, step, err);
}

/* An adopter that came too late has no memory to use. */
void
play_read(struct step *step)
{
	if (current->mm)
		read_in(space_of(current->mm), step);
}

void
play_write(struct step *step)
{
	if (current->mm)
		write_in(space_of(current->mm), step);
}
