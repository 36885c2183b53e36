/* A circular, doubly linked list whose links live inside its elements. */
#pragma once

#include "kernel/base/types.h"

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(name) { &(name), &(name) }

static inline void
list_init(struct list *head)
{
	head->next = head->prev = head;
}

static inline bool
list_empty(const struct list *head)
{
	return head->next == head;
}

/* Of an element in a list, or of a list's head: is there exactly one element? */
static inline bool
list_is_singular(const struct list *item)
{
	return item->next == item->prev && item->next != item;
}

static inline void
list_insert_between(struct list *item, struct list *prev, struct list *next)
{
	item->prev = prev;
	item->next = next;
	prev->next = item;
	next->prev = item;
}

/* Adds @item as the first element. */
static inline void
list_add(struct list *head, struct list *item)
{
	list_insert_between(item, head, head->next);
}

/* Adds @item as the last element. */
static inline void
list_add_tail(struct list *head, struct list *item)
{
	list_insert_between(item, head->prev, head);
}

/* The neighbours of @item become each other's. */
static inline void
list_unlink(struct list *item)
{
	struct list *prev = item->prev, *next = item->next;

	prev->next = next;
	next->prev = prev;
}

/* Takes @item out of its list and leaves it an empty list of its own. */
static inline void
list_del(struct list *item)
{
	list_unlink(item);
	list_init(item);
}

/* @new takes the place of @old. */
static inline void
list_replace(struct list *old, struct list *new)
{
	list_insert_between(new, old->prev, old->next);
}

/* The same, and makes it the last element of @head's. */
static inline void
list_move_tail(struct list *head, struct list *item)
{
	list_unlink(item);
	list_add_tail(head, item);
}

#define list_entry(ptr, type, member) container_of(ptr, type, member)
#define list_first(head, type, member) list_entry((head)->next, type, member)

#define list_for_each(pos, head, member)                               \
	for (pos = list_entry((head)->next, __typeof__(*pos), member); \
	     &pos->member != (head);                                   \
	     pos = list_entry(pos->member.next, __typeof__(*pos), member))

/* The same, where the body may take @pos out of the list. */
#define list_for_each_safe(pos, tmp, head, member)                             \
	for (pos = list_entry((head)->next, __typeof__(*pos), member),         \
	    tmp = list_entry(pos->member.next, __typeof__(*pos), member);      \
	     &pos->member != (head);                                           \
	     pos = tmp,                                                        \
	    tmp = list_entry(tmp->member.next, __typeof__(*tmp), member))
