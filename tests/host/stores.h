/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A PageStore under test.
 */
#ifndef HOST_STORES_H
#define HOST_STORES_H

#include "fixture.h"
#include "ramdisk/page_store.h"

namespace host {

class Store : public World {
protected:
	using PageStore = ramdisk::PageStore;

	static PageStore make()
	{
		auto created = PageStore::create();

		EXPECT_TRUE(created.ok());
		return initrd::move(created.value());
	}

	static Data read(const PageStore &store, u64 offset, size_t size)
	{
		Data data(size, 0xee);

		store.read(offset, initrd::MutableBytes(data.data(), size));
		return data;
	}

	static bool write(PageStore &store, u64 offset, const Data &data)
	{
		return store.write(offset, bytes_of(data), RAMDISK_MAY_SLEEP).ok();
	}

	// Puts `pages` pages of an image into memory and hands them over.
	static u8 *hand_over(size_t pages)
	{
		set_image(sample(pages * kPage));
		return give_image_away().release().data();
	}

	// A store takes such pages over.
	static initrd::Result<void> adopt(PageStore &store, const u8 *first, size_t pages)
	{
		return store.adopt(pages, [&] {
			return initrd::LoosePages({const_cast<u8 *>(first), pages * kPage});
		});
	}
};

} // namespace host

#endif
