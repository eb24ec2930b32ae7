/* shades.c - classes to colours: the largest have their own, the rest share
 * one. */
#include "physical.h"
#include "store.h"

enum { LARGEST = 14 /* groups with a colour of their own */ };

static void
add_shade(u32 class, const char *name, u32 rgb, char letter)
{
	unsigned shade = shade_add(&phys.picture, name, rgb, letter);

	phys.shade_of[class] = (u8)shade;
	phys.picture.shades[shade].bytes += phys.counts[class] * page_size;
}

static void
shades_of_uses(const struct use *table, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (phys.counts[i])
			add_shade(i, table[i].name, table[i].rgb,
				table[i].letter);
}

static void
name_of_group(u32 key, char *name)
{
	struct procstat st;
	char user[USER_MAX];
	const char *path;
	size_t n;

	switch (picture_ask.color) {
	case COLOR_PROCESS:
		fmt_str(name, NAME_MAX_, "%u %s", key,
			procstat_read((int)key, &st) < 0 ? "(ended)" : st.comm);
		break;
	case COLOR_USER:
		fmt_str(name, NAME_MAX_, "%u %s", key, user_name(user, key));
		break;
	default:
		path = name_text(key);
		n = strlen(path);
		fmt_str(name, NAME_MAX_, "%s", n < 32 ? path : path + n - 31);
	}
}

static unsigned
largest_left(void)
{
	unsigned i, best = 0;

	for (i = FIRST_GROUP; i < phys.groups; i++)
		if (!phys.shade_of[i] && phys.counts[i] &&
		    (!best || phys.counts[i] > phys.counts[best]))
			best = i;
	return best;
}

static void
shades_of_groups(void)
{
	static const u32 colors[LARGEST] = {
		0xff5050, 0x50b0ff, 0x60e060, 0xffc840, 0xc878ff, 0x40e8d0,
		0xff80c0, 0xb0d840, 0x5070ff, 0xff9040, 0x30a080, 0xd0a0ff,
		0xa06030, 0x90d0ff,
	};
	char name[NAME_MAX_];
	unsigned i, class, rest;

	for (i = 0; i < LARGEST && (class = largest_left()); i++) {
		name_of_group(phys.keys[class], name);
		add_shade(class, name, colors[i], (char)('A' + i));
	}
	if (!largest_left())
		return;
	rest = shade_add(&phys.picture, "smaller ones", 0x907860, '*');
	while ((class = largest_left())) {
		phys.shade_of[class] = (u8)rest;
		phys.picture.shades[rest].bytes += phys.counts[class] *
			page_size;
	}
}

void
shades_make(void)
{
	if (picture_ask.color == COLOR_FLAGS) {
		shades_of_uses(uses, uses_count);
		return;
	}
	if (picture_ask.color == COLOR_ORDER) {
		shades_of_uses(orders, orders_count);
		return;
	}
	add_shade(NOT_MAPPED, "not mapped by any process", 0x282c38, '.');
	if (picture_ask.pid) {
		u16 other = owners_class(0), his = owners_class(1);

		add_shade(SHARED, "shared between processes", 0x807040, 's');
		add_shade(other, "mapped by others", 0x3c5070, 'o');
		add_shade(his, "of this process alone", 0xff5050, '#');
	} else if (picture_ask.color == COLOR_MAPPED) {
		add_shade(SHARED, "mapped more than once", 0xffc840, 's');
		add_shade(FIRST_GROUP, "mapped once", 0xff5050, '#');
	} else {
		add_shade(SHARED, "shared between groups", 0xe8e8e8, 's');
		shades_of_groups();
	}
}

