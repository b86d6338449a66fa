// SPDX-License-Identifier: GPL-2.0
// The page store and the page writer. (Adopted pages are tested by booting: they
// have to come from the boot allocator.)

#include "initrd/formats/buffer.h"
#include "initrd/formats/formats.h"
#include "initrd/load/page_writer.h"
#include "initrd/seam/cpus.h"
#include "initrd/seam/files.h"
#include "initrd/seam/root.h"
#include "ramdisk/page_store.h"
#include "tests/kunit/support.h"

using namespace initrd;

namespace {

// No RAM disk of a user's has this number.
constexpr u32 kNumber = 3999;

u8 pattern(u64 at)
{
	return static_cast<u8>(at * 7 + at / 4096 + 1);
}

void fill(MutableBytes to, u64 at)
{
	for (u8 &byte : to)
		byte = pattern(at++);
}

// How many bytes in [from, from + size) of what `read` reads are not as told.
template <typename Read, typename Expected>
size_t wrong_bytes(u64 from, size_t size, Read read, Expected expected)
{
	u8 piece[251];
	size_t wrong = 0;

	for (size_t done = 0; done < size;) {
		const MutableBytes bytes = MutableBytes(piece).first(size - done);

		read(from + done, bytes);
		for (u8 byte : bytes)
			wrong += byte != expected(from + done++);
	}
	return wrong;
}

template <typename Expected>
size_t wrong_in(const ramdisk::PageStore &store, u64 from, size_t size, Expected expected)
{
	return wrong_bytes(
		from, size, [&](u64 at, MutableBytes to) { store.read(at, to); }, expected);
}

u8 zero(u64)
{
	return 0;
}

} // namespace

void initrd_ramdisk_reads_zeros(struct kunit *test)
{
	auto store = ramdisk::PageStore::create();

	EXPECT(test, store.ok());
	if (!store)
		return;
	EXPECT_EQ(test, wrong_in(store.value(), 0, 10000, zero), 0);
	EXPECT_EQ(test, wrong_in(store.value(), 1ull << 40, 5000, zero), 0);
	EXPECT_EQ(test, store.value().pages(), 0);
}

void initrd_ramdisk_reads_what_was_written(struct kunit *test)
{
	auto store = ramdisk::PageStore::create();
	auto data = Buffer::create(70001);
	const u64 page = ramdisk_page_size();
	const u64 offset = 3 * page + 17;

	EXPECT(test, store && data);
	if (!store || !data)
		return;
	fill(data.value().bytes(), offset);
	EXPECT(test, store.value().write(offset, data.value().bytes(), RAMDISK_MAY_SLEEP).ok());
	EXPECT_EQ(test, wrong_in(store.value(), offset, data.value().size(), pattern), 0);
	EXPECT_EQ(test, wrong_in(store.value(), 0, offset, zero), 0);
	EXPECT_EQ(test, wrong_in(store.value(), offset + data.value().size(), 9000, zero), 0);
	EXPECT_EQ(test, store.value().pages(),
		  initrd::in_units(offset + data.value().size() + page - 1, page) -
			  initrd::in_units(offset, page));

	// Pages that exist are written without a new one.
	const u64 pages = store.value().pages();

	EXPECT(test, store.value().write(offset, data.value().bytes(), RAMDISK_NO_WAIT).ok());
	EXPECT_EQ(test, store.value().pages(), pages);
}

// Pages here and there, across the ends of the map's nodes, among them the first
// that a map ever has and one far away.
void initrd_ramdisk_reads_across_gaps(struct kunit *test)
{
	constexpr u64 kPlaces[] = {0, 1, 62, 63, 64, 66, 127, 128, 150, 4095, 4096};
	auto store = ramdisk::PageStore::create();
	const u64 page = ramdisk_page_size();
	auto data = Buffer::create(page);
	const auto expected = [&](u64 at) {
		for (u64 place : kPlaces)
			if (initrd::in_units(at, page) == place)
				return pattern(at);
		return zero(at);
	};
	u64 pages = 0;

	EXPECT(test, store && data);
	if (!store || !data)
		return;
	for (u64 place : kPlaces) {
		fill(data.value().bytes(), place * page);
		EXPECT(test, store.value()
				     .write(place * page, data.value().bytes(), RAMDISK_MAY_SLEEP)
				     .ok());
		EXPECT_EQ(test, store.value().pages(), ++pages);
	}
	auto found = Buffer::create(160 * page);

	EXPECT(test, found.ok());
	if (!found)
		return;
	const u64 starts[] = {0, 60 * page + 5, 4000 * page + 1};

	for (u64 from : starts) {
		size_t wrong = 0;
		u64 at = from;

		__builtin_memset(found.value().data(), 0xee, found.value().size());
		store.value().read(from, found.value().bytes());
		for (u8 byte : found.value().bytes())
			wrong += byte != expected(at++);
		EXPECT_EQ(test, wrong, 0);
	}
}

void initrd_ramdisk_discards(struct kunit *test)
{
	auto store = ramdisk::PageStore::create();
	const size_t page = ramdisk_page_size();
	auto data = Buffer::create(8 * page);

	EXPECT(test, store && data);
	if (!store || !data)
		return;
	fill(data.value().bytes(), 0);
	EXPECT(test, store.value().write(0, data.value().bytes(), RAMDISK_MAY_SLEEP).ok());
	store.value().discard(2, 5);
	EXPECT_EQ(test, store.value().pages(), 5);
	EXPECT_EQ(test, wrong_in(store.value(), 0, 2 * page, pattern), 0);
	EXPECT_EQ(test, wrong_in(store.value(), 2 * page, 3 * page, zero), 0);
	EXPECT_EQ(test, wrong_in(store.value(), 5 * page, 3 * page, pattern), 0);

	EXPECT(test, store.value()
			     .write(3 * page, data.value().bytes().skip(3 * page).first(page),
				    RAMDISK_MAY_SLEEP)
			     .ok());
	EXPECT_EQ(test, wrong_in(store.value(), 3 * page, page, pattern), 0);
	EXPECT_EQ(test, store.value().pages(), 6);
	store.value().discard(0, ~0ull);
	ramdisk_pages_settle();
	EXPECT_EQ(test, store.value().pages(), 0);
	EXPECT_EQ(test, wrong_in(store.value(), 0, 8 * page, zero), 0);
}

// As many as lie in several nodes of the map, up to one that is there.
void initrd_ramdisk_inserts(struct kunit *test)
{
	constexpr size_t kPages = 200;
	constexpr u64 kFirst = 50;
	const size_t page = ramdisk_page_size();
	auto store = ramdisk::PageStore::create();
	auto list = Buffer::create(kPages * sizeof(ramdisk_page *));
	const u8 byte = 0x5a;
	size_t there = 0;
	size_t done = 0;

	EXPECT(test, list.ok());
	if (!list)
		return;
	// SAFETY: allocated as an array of page pointers, aligned for them.
	ramdisk_page **const pages = reinterpret_cast<ramdisk_page **>(list.value().data());

	while (there < kPages && (pages[there] = ramdisk_page_new(RAMDISK_MAY_SLEEP))) {
		const u8 number = static_cast<u8>(there);

		ramdisk_page_write(pages[there++], 100, &number, 1);
	}
	EXPECT(test, store && there == kPages);
	if (store && there == kPages) {
		const u64 last = kFirst + kPages - 1;

		EXPECT(test,
		       store.value().write(last * page, Bytes(&byte, 1), RAMDISK_MAY_SLEEP).ok());
		auto inserted = store.value().insert(kFirst, Span(pages, kPages), done);

		EXPECT(test, !inserted);
		if (!inserted)
			EXPECT_EQ(test, inserted.error().code, kExists);
		EXPECT_EQ(test, done, kPages - 1);
		EXPECT_EQ(test, store.value().pages(), kPages);
		for (size_t i = 0; i < kPages - 1; i++)
			EXPECT_EQ(test,
				  wrong_in(store.value(), (kFirst + i) * page + 100, 1,
					   [&](u64) { return static_cast<u8>(i); }),
				  0);
	}
	while (there > done)
		ramdisk_page_free(pages[--there]);
}

// Output of odd sizes into a disk of the block layer's, and its end.
void initrd_ramdisk_writes_pages(struct kunit *test)
{
	constexpr size_t kSize = 2500001;
	constexpr size_t kPiece = 100003;
	const size_t page = ramdisk_page_size();

	ramdisk_lock();
	auto made = ramdisk::Disk::create(kNumber);

	EXPECT(test, made.ok());
	if (made) {
		ramdisk::Disk &disk = *made.value();

		EXPECT(test, disk.show().ok());
		// Who has looked for partitions may be due to close it.
		seam_files_flush();
		disk.begin_load();
		{
			ramdisk::PageWriter writer(disk);

			for (size_t done = 0; done < kSize;) {
				auto room = writer.lend(kPiece);

				EXPECT(test, room.ok());
				if (!room)
					break;
				const MutableBytes piece =
					room.value().first(min(kPiece, kSize - done));

				fill(piece, done);
				EXPECT(test, writer.commit(piece.size()).ok());
				done += piece.size();
			}
			EXPECT_EQ(test, writer.size(), kSize);
			EXPECT(test, writer.finish().ok());
		}
		const auto read = [&](u64 at, MutableBytes to) { disk.read(at, to); };

		disk.end_load();
		EXPECT_EQ(test, disk.pages(), (kSize + page - 1) / page);
		EXPECT_EQ(test, wrong_bytes(0, kSize, read, pattern), 0);
		EXPECT_EQ(test, wrong_bytes(kSize, page, read, zero), 0);
		EXPECT_EQ(test, initrd_kunit_buffers_left(disk.minors().first), 0);
		seam_files_flush();
		disk.discard(0, 10 * page + 1);
		EXPECT_EQ(test, disk.pages(), (kSize + page - 1) / page - 10);
		EXPECT(test, disk.flush().ok());
		EXPECT_EQ(test, disk.pages(), 0);
		EXPECT(test, disk.retire());
		ramdisk::Disk::destroy(&disk);
	}
	ramdisk_unlock();
}

namespace {

// More than any queue has workers for at the same time.
constexpr size_t kMany = 700;

struct Crowd {
	const void *who_wants_help;
	u32 begun = 0;
	u32 at_work = 0; /* when no more came */
	bool may_go = false;
	u32 helped = 0;

	u32 begun_now() const { return __atomic_load_n(&begun, __ATOMIC_ACQUIRE); }
};

void help_out(void *crowd)
{
	__atomic_fetch_add(&static_cast<Crowd *>(crowd)->helped, 1, __ATOMIC_RELAXED);
}

// One waits until no more come, and wants help then; all others wait for it.
void stand_around(void *context)
{
	Crowd &crowd = *static_cast<Crowd *>(context);

	__atomic_fetch_add(&crowd.begun, 1, __ATOMIC_ACQ_REL);
	if (initrd_kunit_task() == crowd.who_wants_help) {
		u32 patience = 60;
		u32 seen;

		// (It takes a busy machine a while before the first one comes.)
		do {
			seen = crowd.begun_now();
			seam_sleep_ms(500);
		} while (patience-- && (seen == 1 || seen != crowd.begun_now()));
		crowd.at_work = seen;
		seam_run_parallel(help_out, &crowd, 2);
		__atomic_store_n(&crowd.may_go, true, __ATOMIC_RELEASE);
	}
	while (!__atomic_load_n(&crowd.may_go, __ATOMIC_ACQUIRE))
		seam_sleep_ms(50);
}

} // namespace

// The queue of helpers is full of those who wait for the one who wants help.
void initrd_ramdisk_waits_for_nobody(struct kunit *test)
{
	Crowd crowd = {initrd_kunit_task()};

	seam_run_parallel(stand_around, &crowd, kMany);
	EXPECT(test, crowd.at_work > 1);
	EXPECT(test, crowd.at_work < kMany);
	EXPECT_EQ(test, crowd.helped, 1);
}

// Blocks of LZ4 that whatever processors there are decode at the same time.
void initrd_ramdisk_decodes_blocks(struct kunit *test)
{
	constexpr size_t kBlocks = 4;
	constexpr size_t kPlain = size_t{8} << 20;
	// Four bytes, a match of all but these and the last twelve, twelve bytes.
	constexpr size_t kMore = kPlain - 4 - 12 - 4 - 15;
	constexpr size_t kPacked = 1 + 4 + 2 + kMore / 255 + 1 + 1 + 12;
	auto packed = Buffer::create(4 + kBlocks * (4 + kPacked));

	EXPECT(test, packed.ok());
	if (!packed)
		return;
	MutableBytes to = packed.value().bytes();
	const auto put = [&to](Bytes bytes) { to = to.skip(copy(to, bytes)); };
	const u8 magic[] = {0x02, 0x21, 0x4c, 0x18};
	const u8 rest = kMore % 255;
	const u8 end[] = {12 << 4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
	const u8 size[] = {kPacked & 0xff, kPacked >> 8 & 0xff, kPacked >> 16, 0};

	put(magic);
	for (u8 i = 0; i < kBlocks; i++) {
		const u8 start[] = {4 << 4 | 15, i, 'n', 'i', 't', 4, 0};

		put(size);
		put(start);
		__builtin_memset(to.data(), 0xff, kMore / 255);
		to = to.skip(kMore / 255);
		put({&rest, 1});
		put(end);
	}
	EXPECT(test, to.empty());
	const Format *const format = identify(packed.value().bytes());

	EXPECT(test, format);
	if (!format || !format->decode) {
		initrd_kunit_skip(test, "its CONFIG_RD_ option is off");
		return;
	}
	const auto expected = [&](u64 at) {
		const size_t offset = at % kPlain;

		if (offset >= kPlain - 12)
			return static_cast<u8>(offset - (kPlain - 12) + 1);
		return offset % 4 ? static_cast<u8>("init"[offset % 4]) :
				    static_cast<u8>(at / kPlain);
	};

	ramdisk_lock();
	auto made = ramdisk::Disk::create(kNumber);

	EXPECT(test, made.ok());
	if (made) {
		ramdisk::Disk &disk = *made.value();
		{
			ramdisk::PageWriter writer(disk);
			auto decoded = format->decode(packed.value().bytes(), writer);

			EXPECT(test, decoded.ok());
			EXPECT_EQ(test, writer.size(), kBlocks * kPlain);
			EXPECT(test, writer.finish().ok());
		}
		const auto read = [&](u64 at, MutableBytes bytes) { disk.read(at, bytes); };

		// The whole of it would take long: what is around the blocks' ends.
		for (size_t i = 0; i < kBlocks; i++) {
			EXPECT_EQ(test, wrong_bytes(i * kPlain, 10000, read, expected), 0);
			EXPECT_EQ(test,
				  wrong_bytes((i + 1) * kPlain - 10000, 10000, read, expected), 0);
		}
		disk.clear();
		ramdisk::Disk::destroy(&disk);
	}
	ramdisk_unlock();
}
