// SPDX-License-Identifier: GPL-2.0
// initrd/seam/files.h, nodes.h, cache.h: files, names and pages of files, in a folder of
// their own in the root file system.

#include "initrd/seam/files.h"
#include "initrd/seam/cache.h"
#include "initrd/seam/memory.h"
#include "initrd/seam/nodes.h"
#include "initrd/support/compiler.h"
#include "initrd/support/result.h"
#include "tests/contract/cases.h"
#include "tests/contract/expect.h"

namespace {

constexpr int kNotDirectory = 20;
constexpr int kIsDirectory = 21;
constexpr int kNameTooLong = 36;
constexpr int kNotEmpty = 39;
constexpr u32 kFormat = 0170000;

// The folder /contract, and nodes in it by their name.
class Folder {
public:
	Folder()
	{
		int status;

		seam_mkdir("/contract", 0755);
		directory_ = seam_directory_open("/contract", &status);
	}
	~Folder()
	{
		int status;

		if (directory_)
			seam_directory_close(directory_);
		directory_ = seam_directory_open("/", &status);
		if (!directory_)
			return;
		remove("contract");
		seam_directory_close(directory_);
	}
	Folder(const Folder &) = delete;
	Folder &operator=(const Folder &) = delete;

	explicit operator bool() const { return directory_; }
	seam_directory *get() const { return directory_; }

	seam_node *find(const char *name) const
	{
		int status;

		return seam_node_find(directory_, name, __builtin_strlen(name), &status);
	}
	// The mode of what has this name; 0: nothing has.
	u32 mode(const char *name) const
	{
		seam_node *const node = find(name);
		const u32 mode = node ? seam_node_mode(node) : ~0u;

		if (node)
			seam_node_release(node);
		return mode;
	}
	int remove(const char *name) const
	{
		seam_node *const node = find(name);
		const int status = node && seam_node_mode(node) ?
					   seam_node_remove(directory_, node) :
					   -initrd::kNoEntry;

		if (node)
			seam_node_release(node);
		return status;
	}
	// What is asked of a node of this name: its answer, 1 where there is no memory.
	template <typename Action> int with(const char *name, Action action) const
	{
		seam_node *const node = find(name);
		const int status = node ? action(node) : 1;

		if (node)
			seam_node_release(node);
		return status;
	}
	int create(const char *name, u32 mode = 0644) const
	{
		return with(name, [&](seam_node *node) {
			return seam_node_create(directory_, node, mode);
		});
	}
	// The sum of a file's `size` bytes from `offset` on; ~0: there are not so many.
	u64 sum(const char *name, u64 offset, size_t size) const
	{
		u64 sum = 0;

		with(name, [&](seam_node *node) {
			int status;
			seam_file *const file = seam_node_open_to_read(directory_, node, &status);
			u8 piece[64];

			while (file && size && sum != ~0ull) {
				const size_t n = size < sizeof(piece) ? size : sizeof(piece);

				if (seam_file_read(file, piece, n, offset) != static_cast<s64>(n))
					sum = ~0ull;
				for (size_t i = 0; i < n && sum != ~0ull; i++)
					sum += piece[i];
				offset += n;
				size -= n;
			}
			if (file)
				seam_file_close(file);
			return status;
		});
		return sum;
	}

private:
	seam_directory *directory_;
};

} // namespace

void contract_files(struct kunit *test)
{
	constexpr const char *kPath = "/contract/file";
	const Folder folder;
	int status = 1;

	EXPECT(test, folder);
	EXPECT_EQ(test, seam_mkdir("/contract", 0700), -initrd::kExists);
	EXPECT_EQ(test, seam_may_execute(kPath), -initrd::kNoEntry);
	EXPECT_EQ(test, seam_unlink(kPath), -initrd::kNoEntry);
	EXPECT_EQ(test, seam_set_mtime(kPath, 1), -initrd::kNoEntry);
	EXPECT(test, !seam_file_create("/contract/none/file", 0600, &status));
	EXPECT_EQ(test, status, -initrd::kNoEntry);

	seam_file *const file = seam_file_create(kPath, 0751, &status);

	EXPECT(test, file);
	EXPECT_EQ(test, status, 0);
	if (file)
		seam_file_close(file);
	seam_files_flush();
	EXPECT_EQ(test, seam_may_execute(kPath), 0);
	EXPECT_EQ(test, seam_set_mtime(kPath, 1234567890), 0);
	EXPECT_EQ(test, folder.mode("file"), 0100751);
	EXPECT_EQ(test, seam_unlink(kPath), 0);
	EXPECT_EQ(test, folder.mode("file"), 0);
	// A folder is no file.
	EXPECT(test, !seam_file_create("/contract", 0600, &status));
	EXPECT_EQ(test, status, -kIsDirectory);
}

void contract_file_data(struct kunit *test)
{
	constexpr const char *kPath = "/contract/data";
	const Folder folder;
	int status;
	u8 bytes[100];
	seam_file *file = seam_file_create(kPath, 0600, &status);

	EXPECT(test, folder);
	EXPECT(test, file);
	if (!file)
		return;
	__builtin_memset(bytes, 3, sizeof(bytes));
	EXPECT_EQ(test, seam_file_write(file, bytes, 100, 0), 100);
	// What is left out is zeros.
	EXPECT_EQ(test, seam_file_write(file, bytes, 50, 9000), 50);
	seam_file_close(file);
	EXPECT_EQ(test, folder.sum("data", 0, 9050), 150 * 3);
	EXPECT_EQ(test, folder.sum("data", 8990, 20), 10 * 3);

	folder.with("data", [&](seam_node *node) {
		EXPECT_EQ(test, seam_node_size(node), 9050);
		file = seam_node_open_to_read(folder.get(), node, &status);
		EXPECT(test, file);
		if (!file)
			return status;
		// At the end there are fewer, and behind it none.
		EXPECT_EQ(test, seam_file_read(file, bytes, 100, 9000), 50);
		EXPECT_EQ(test, seam_file_read(file, bytes, 100, 20000), 0);
		seam_file_close(file);
		return 0;
	});
	// Made empty by who makes it again.
	file = seam_file_create(kPath, 0600, &status);
	EXPECT(test, file);
	if (file)
		seam_file_close(file);
	EXPECT_EQ(
		test,
		folder.with("data",
			    [](seam_node *node) { return static_cast<int>(seam_node_size(node)); }),
		0);
	EXPECT_EQ(test, seam_unlink(kPath), 0);
}

void contract_file_system_room(struct kunit *test)
{
	seam_room room = {1, 2, 3, 4};

	EXPECT_EQ(test, seam_file_system_room("/", &room), 0);
	EXPECT(test, room.free <= room.size);
	EXPECT(test, room.free_nodes <= room.nodes);
	EXPECT_EQ(test, seam_file_system_room("/contract/none", &room), -initrd::kNoEntry);
}

void contract_names(struct kunit *test)
{
	const Folder folder;

	EXPECT(test, folder);
	EXPECT_EQ(test, folder.mode("name"), 0);
	EXPECT_EQ(test, folder.create("name", 0600), 0);
	EXPECT_EQ(test, folder.mode("name"), 0100600);
	EXPECT_EQ(test, folder.create("name"), -initrd::kExists);
	EXPECT_EQ(test,
		  folder.with("name",
			      [&](seam_node *node) {
				      return seam_node_mkdir(folder.get(), node, 0755);
			      }),
		  -initrd::kExists);
	// A part of a name is another one.
	EXPECT_EQ(test, folder.mode("nam"), 0);
	EXPECT_EQ(test, folder.remove("name"), 0);
	EXPECT_EQ(test, folder.mode("name"), 0);
}

void contract_names_that_cannot_be(struct kunit *test)
{
	const Folder folder;
	char name[256];
	int status;

	EXPECT(test, folder);
	__builtin_memset(name, 'n', sizeof(name));
	EXPECT(test, !seam_node_find(folder.get(), name, 256, &status));
	EXPECT_EQ(test, status, -kNameTooLong);
	seam_node *const node = seam_node_find(folder.get(), name, 255, &status);

	EXPECT(test, node);
	if (node)
		seam_node_release(node);
	EXPECT(test, !seam_directory_open("/contract/none", &status));
	EXPECT_EQ(test, status, -initrd::kNoEntry);
	EXPECT_EQ(test, folder.create("file"), 0);
	EXPECT(test, !seam_directory_open("/contract/file", &status));
	EXPECT_EQ(test, status, -kNotDirectory);
	EXPECT_EQ(test, folder.remove("file"), 0);
}

void contract_folders(struct kunit *test)
{
	const Folder folder;
	int status;

	EXPECT(test, folder);
	EXPECT_EQ(test,
		  folder.with("inner",
			      [&](seam_node *node) {
				      return seam_node_mkdir(folder.get(), node, 0750);
			      }),
		  0);
	EXPECT_EQ(test, folder.mode("inner"), 0040750);
	seam_directory *const inner = seam_directory_open("/contract/inner", &status);

	EXPECT(test, inner);
	if (inner) {
		seam_node *const self = seam_directory_node(inner);
		seam_node *const file = seam_node_find(inner, "file", 4, &status);

		EXPECT(test, file);
		EXPECT_EQ(test, seam_node_mode(self), 0040750);
		EXPECT(test, folder.with("inner", [&](seam_node *node) {
			return seam_node_same(node, self);
		}) == 1);
		if (file) {
			EXPECT_EQ(test, seam_node_create(inner, file, 0644), 0);
			// Not while there is something in it.
			EXPECT_EQ(test, folder.remove("inner"), -kNotEmpty);
			EXPECT_EQ(test, seam_node_remove(inner, file), 0);
			seam_node_release(file);
		}
		seam_node_release(self);
		seam_directory_close(inner);
	}
	EXPECT_EQ(test, folder.remove("inner"), 0);
	EXPECT_EQ(test, folder.mode("inner"), 0);
}

void contract_links(struct kunit *test)
{
	const Folder folder;

	EXPECT(test, folder);
	EXPECT_EQ(test, folder.create("one"), 0);
	seam_node *const one = folder.find("one");
	seam_node *const two = folder.find("two");

	EXPECT(test, one && two);
	if (!one || !two)
		return;
	EXPECT(test, !seam_node_same(one, two));
	EXPECT_EQ(test, seam_node_link(folder.get(), two, one), 0);
	EXPECT(test, seam_node_same(one, two));
	seam_node *const held = seam_node_hold(one);

	EXPECT_EQ(test, folder.remove("one"), 0);
	EXPECT_EQ(test, folder.mode("two"), 0100644);
	// Another name by what is held, as long as there is one left.
	EXPECT_EQ(test,
		  folder.with("three",
			      [&](seam_node *node) {
				      return seam_node_link(folder.get(), node, held);
			      }),
		  0);
	EXPECT_EQ(test, folder.remove("two"), 0);
	EXPECT_EQ(test, folder.remove("three"), 0);
	EXPECT_EQ(test,
		  folder.with("four",
			      [&](seam_node *node) {
				      return seam_node_link(folder.get(), node, held);
			      }),
		  -initrd::kNoEntry);
	seam_node_release(held);
	seam_node_release(one);
	seam_node_release(two);
}

void contract_nodes(struct kunit *test)
{
	const char *const names[] = {"pipe", "device", "nowhere", "link"};
	const Folder folder;

	EXPECT(test, folder);
	EXPECT_EQ(test,
		  folder.with("pipe",
			      [&](seam_node *node) {
				      return seam_node_mknod(folder.get(), node, 0010644, 9, 9);
			      }),
		  0);
	EXPECT_EQ(test, folder.mode("pipe"), 0010644);
	EXPECT_EQ(test,
		  folder.with("device",
			      [&](seam_node *node) {
				      return seam_node_mknod(folder.get(), node, 0020600, 5, 1);
			      }),
		  0);
	EXPECT_EQ(test, folder.mode("device"), 0020600);
	EXPECT_EQ(test,
		  folder.with("nowhere",
			      [&](seam_node *node) {
				      return seam_node_symlink(folder.get(), node, "");
			      }),
		  0);
	EXPECT_EQ(test, folder.mode("nowhere") & kFormat, 0120000);
	EXPECT_EQ(test,
		  folder.with("link",
			      [&](seam_node *node) {
				      return seam_node_symlink(folder.get(), node, "pipe");
			      }),
		  0);
	// The link itself, not what it leads to.
	EXPECT_EQ(test, folder.mode("link") & kFormat, 0120000);
	for (const char *name : names)
		EXPECT_EQ(test, folder.remove(name), 0);
}

void contract_attributes(struct kunit *test)
{
	const Folder folder;
	const auto set = [&](const seam_attributes &attributes) {
		return folder.with("file", [&](seam_node *node) {
			return seam_node_set(folder.get(), node, &attributes);
		});
	};

	EXPECT(test, folder);
	EXPECT_EQ(test, folder.create("file"), 0);
	EXPECT_EQ(test,
		  set({.uid = 12,
		       .gid = 34,
		       .mode = 04755,
		       .has_mode = 1,
		       .has_mtime = 0,
		       .mtime = 0}),
		  0);
	EXPECT_EQ(test, folder.mode("file"), 0104755);
	// What is not said stays.
	EXPECT_EQ(test,
		  set({.uid = ~0u,
		       .gid = ~0u,
		       .mode = 0,
		       .has_mode = 0,
		       .has_mtime = 1,
		       .mtime = 77}),
		  0);
	EXPECT_EQ(test, folder.mode("file"), 0104755);
	EXPECT_EQ(test, folder.remove("file"), 0);
}

void contract_sizes(struct kunit *test)
{
	const Folder folder;
	const auto resize = [&](u64 size) {
		return folder.with("file", [&](seam_node *node) {
			const int status = seam_node_resize(folder.get(), node, size);

			EXPECT_EQ(test, seam_node_size(node), size);
			return status;
		});
	};

	EXPECT(test, folder);
	EXPECT_EQ(test, folder.create("file"), 0);
	EXPECT_EQ(test, resize(100000), 0);
	EXPECT_EQ(test, folder.sum("file", 0, 100000), 0);
	EXPECT_EQ(test, resize(10), 0);
	EXPECT_EQ(test, resize(0), 0);
	EXPECT_EQ(test, folder.remove("file"), 0);
}

namespace {

#if IS_ENABLED(CONFIG_INITRD_CXX_FILE_PAGES)

// Pages for a file, each full of its number from 1 on; how many there are.
size_t make_pages(seam_node *node, seam_page **pages, size_t count)
{
	size_t made = 0;

	while (made < count) {
		const size_t got = seam_pages_new(node, pages + made, count - made);

		if (!got)
			break;
		made += got;
	}
	for (size_t i = 0; i < made; i++) {
		for (size_t at = 0; at < seam_page_size(); at += 64) {
			u8 piece[64];

			__builtin_memset(piece, static_cast<u8>(i + 1), sizeof(piece));
			seam_page_write(pages[i], at, piece, sizeof(piece));
		}
	}
	return made;
}

// Makes pages the file's, by all the steps; how many.
size_t add_pages(seam_node *node, u64 first, seam_page **pages, size_t count, int &status)
{
	status = -initrd::kNoSpace;
	if (!seam_node_take_room(node, count))
		return 0;
	const size_t ready = seam_pages_prepare(node, first, pages, count);
	const size_t stored = ready < count ?
				      0 :
				      seam_node_store_pages(node, first, pages, count, &status);

	for (size_t i = stored; i < ready; i++)
		seam_page_unprepare(pages[i]);
	if (stored < count)
		seam_node_give_room(node, count - stored);
	return stored;
}

#endif

} // namespace

void contract_file_pages(struct kunit *test)
{
#if IS_ENABLED(CONFIG_INITRD_CXX_FILE_PAGES)
	constexpr size_t kPages = 5;
	const size_t page = seam_page_size();
	const Folder folder;

	EXPECT(test, folder);
	EXPECT_EQ(test, folder.create("file"), 0);
	folder.with("file", [&](seam_node *node) {
		seam_page *pages[kPages] = {};
		int status = 1;

		EXPECT(test, seam_node_takes_pages(node));
		const int can_move = seam_node_pages_can_move(node);

		EXPECT(test, can_move == 0 || can_move == 1);
		const size_t made = make_pages(node, pages, kPages);

		EXPECT_EQ(test, made, kPages);
		if (made < kPages)
			return 1;
		seam_page_zero(pages[3], 100, page - 100);
		EXPECT_EQ(test, add_pages(node, 0, pages, 2, status), 2);
		EXPECT_EQ(test, status, 0);
		EXPECT_EQ(test, add_pages(node, 2, pages + 2, 2, status), 2);
		EXPECT_EQ(test, status, 0);
		seam_page_free(pages[4]);
		seam_node_set_size(node, 3 * page + 100);
		EXPECT_EQ(test, seam_node_size(node), 3 * page + 100);
		// It has data now: more is written to it.
		EXPECT(test, !seam_node_takes_pages(node));
		return 0;
	});
	EXPECT_EQ(test, folder.sum("file", 0, 3 * page + 100), (1 + 2 + 3) * page + 4 * 100);
	EXPECT_EQ(test,
		  folder.with("file",
			      [&](seam_node *node) {
				      return seam_node_resize(folder.get(), node, 4 * page);
			      }),
		  0);
	EXPECT_EQ(test, folder.sum("file", 3 * page, page), 4 * 100);
	EXPECT_EQ(test, folder.remove("file"), 0);
#else
	initrd_kunit_skip(test, "its option is off");
#endif
}

void contract_file_pages_are_not_replaced(struct kunit *test)
{
#if IS_ENABLED(CONFIG_INITRD_CXX_FILE_PAGES)
	const size_t page = seam_page_size();
	const Folder folder;

	EXPECT(test, folder);
	EXPECT_EQ(test, folder.create("file"), 0);
	folder.with("file", [&](seam_node *node) {
		seam_page *pages[2] = {};
		int status = 1;

		if (make_pages(node, pages, 2) < 2)
			return 1;
		EXPECT_EQ(test, add_pages(node, 0, pages, 1, status), 1);
		seam_node_set_size(node, page);
		EXPECT_EQ(test, add_pages(node, 0, pages + 1, 1, status), 0);
		EXPECT_EQ(test, status, -initrd::kExists);
		seam_page_free(pages[1]);
		return 0;
	});
	EXPECT_EQ(test, folder.sum("file", 0, page), page);
	EXPECT_EQ(test, folder.remove("file"), 0);
#else
	initrd_kunit_skip(test, "its option is off");
#endif
}
