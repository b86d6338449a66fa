// SPDX-License-Identifier: GPL-2.0
// The cpio reader: in chunks as in one piece, and as libarchive reads it.

#include <algorithm>

#include "peer.h"
#include "recorder.h"
#include "target.h"

namespace {

using namespace initrd;
using host::Chunking;
using host::Data;
using host::Recorder;

struct Read {
	Recorder got;
	std::string reason;
};

Read read_in(const Data &archive, const Chunking &chunking, cpio::Hex hex, size_t room)
{
	Read read;

	read.got.room = room;
	read.reason = read_chunks(read.got, cut(archive, chunking), hex);
	return read;
}

void expect_same(const Read &a, const Read &b)
{
	EXPECT_EQ(a.reason, b.reason);
	// A handler knows no more than which piece it could not take.
	if (a.reason != "write error")
		EXPECT_EQ(a.got.error_offset, b.got.error_offset);
	EXPECT_EQ(a.got.headers, b.got.headers);
	EXPECT_EQ(a.got.trailers, b.got.trailers);
	EXPECT_EQ(a.got.rest, b.got.rest);
	ASSERT_EQ(a.got.entries.size(), b.got.entries.size());
	for (size_t i = 0; i < a.got.entries.size(); i++) {
		const Recorder::Got &x = a.got.entries[i];
		const Recorder::Got &y = b.got.entries[i];

		EXPECT_EQ(x.name, y.name);
		EXPECT_EQ(x.target, y.target);
		EXPECT_EQ(x.finished, y.finished);
		EXPECT_EQ(x.abandoned, y.abandoned);
		// Of an entry that failed, how much had come depends on the chunks.
		if (x.finished)
			EXPECT_EQ(x.data, y.data);
	}
}

// What an entry's header promises is what came.
void expect_sound(const Read &read)
{
	for (const Recorder::Got &got : read.got.entries) {
		const cpio::Entry &header = got.header;
		u32 sum = 0;

		EXPECT_LT(got.name.size(), 4096u);
		EXPECT_LE(got.target.size(), 4096u);
		EXPECT_LE(got.data.size(), header.size);
		EXPECT_EQ(header.mode & ~0xffffu, 0u);
		if (header.type() != cpio::kRegular) {
			EXPECT_TRUE(got.data.empty() && !got.finished);
			continue;
		}
		EXPECT_TRUE(got.finished || got.abandoned || got.name == read.got.unwanted);
		for (const char c : got.data)
			sum += static_cast<u8>(c);
		if (got.finished) {
			EXPECT_EQ(got.data.size(), header.size);
			EXPECT_TRUE(!header.has_checksum || sum == header.checksum);
		}
	}
}

// What the kernel passes over without a word, and libarchive does not.
bool is_passed_over(const peer::Entry &entry)
{
	const u32 type = entry.mode & cpio::kTypeMask;

	return entry.name.empty() || entry.name.size() >= 4096 || entry.target.size() > 4096 ||
	       (type != cpio::kRegular && type != cpio::kLink && !entry.data.empty());
}

void expect_agreement(const Read &ours, const peer::Archive &theirs)
{
	size_t at = 0;

	for (const peer::Entry &entry : theirs.entries) {
		if (is_passed_over(entry))
			continue;
		// Trailers of odd forms end an archive for one of them only.
		if (entry.name == "TRAILER!!!")
			break;
		ASSERT_LT(at, ours.got.entries.size()) << entry.name;
		const Recorder::Got &got = ours.got.entries[at++];

		if (got.name == "TRAILER!!!")
			break;
		EXPECT_EQ(got.name, entry.name);
		EXPECT_EQ(got.header.type(), entry.mode & cpio::kTypeMask);
		EXPECT_EQ(got.header.mode & 07777, entry.mode & 07777);
		EXPECT_EQ(got.header.uid, entry.uid);
		EXPECT_EQ(got.header.gid, entry.gid);
		EXPECT_EQ(got.header.mtime, entry.mtime);
		EXPECT_EQ(std::string(got.target.c_str()), entry.target);
		if (!entry.is_other_name)
			EXPECT_EQ(got.data, entry.data);
	}
}

} // namespace

void fuzz::try_input(FuzzedDataProvider &input)
{
	const size_t wanted = input.ConsumeIntegralInRange<size_t>(1, 1000);
	// Now and then a file is too large for where it goes.
	const size_t room = input.ConsumeIntegral<u8>() == 1 ? input.ConsumeIntegral<u16>() :
							       ~size_t{0};
	const Data archive = input.ConsumeRemainingBytes<u8>();
	// Many chunks of a large one show nothing new, and take long.
	const size_t most = std::max(wanted, archive.size() / 300 + 1);

	for (const cpio::Hex hex : {cpio::Hex::kStrict, cpio::Hex::kLenient}) {
		const Read whole = read_in(archive, host::kChunkings[0], hex, room);

		expect_sound(whole);
		if (archive.size() <= 400)
			expect_same(whole, read_in(archive, host::kChunkings[1], hex, room));
		expect_same(whole, read_in(archive, {"pieces", most, false}, hex, room));
		expect_same(whole, read_in(archive, {"random", most, true}, hex, room));
		// Numbers that are none are read in many ways.
		if (hex == cpio::Hex::kLenient || !whole.reason.empty() || !whole.got.rest.empty())
			continue;
		const peer::Archive theirs = peer::read(archive);

		if (theirs.accepted)
			expect_agreement(whole, theirs);
	}
}
