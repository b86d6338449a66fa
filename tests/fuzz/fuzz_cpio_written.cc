// SPDX-License-Identifier: GPL-2.0
// What another program packs into an archive comes out of the reader as it was.

#include <algorithm>

#include "peer.h"
#include "recorder.h"
#include "target.h"

namespace {

using namespace initrd;

constexpr u32 kTypes[] = {cpio::kRegular, cpio::kDirectory, cpio::kLink,     cpio::kBlock,
			  cpio::kFifo,	  cpio::kSocket,    cpio::kCharacter};

// A name or a target: what C strings can hold, and a trailer is not.
std::string text_of(FuzzedDataProvider &input)
{
	std::string text = input.ConsumeRandomLengthString(4095);

	text.resize(std::min(text.find('\0'), text.size()));
	return text.empty() || text == "TRAILER!!!" ? "name" : text;
}

peer::Entry entry_of(FuzzedDataProvider &input, u32 number)
{
	peer::Entry entry;
	const u32 type = input.PickValueInArray(kTypes);

	entry.name = text_of(input);
	entry.mode = type | (input.ConsumeIntegral<u16>() & 07777);
	entry.uid = input.ConsumeIntegral<u16>();
	entry.gid = input.ConsumeIntegral<u16>();
	entry.mtime = input.ConsumeIntegral<u32>() >> 1;
	entry.ino = number;
	if (type == cpio::kRegular)
		entry.data = input.ConsumeRandomLengthString(20000);
	else if (type == cpio::kLink)
		entry.target = text_of(input);
	else if (type == cpio::kBlock || type == cpio::kCharacter) {
		entry.rdev_major = input.ConsumeIntegral<u8>();
		entry.rdev_minor = input.ConsumeIntegral<u8>();
	}
	return entry;
}

void expect_equal(const host::Recorder::Got &got, const peer::Entry &entry)
{
	const cpio::Entry &header = got.header;

	EXPECT_EQ(got.name, entry.name);
	EXPECT_EQ(got.target, entry.target);
	EXPECT_EQ(got.data, entry.data);
	EXPECT_EQ(got.finished, (entry.mode & cpio::kTypeMask) == cpio::kRegular);
	EXPECT_EQ(header.mode, entry.mode);
	EXPECT_EQ(header.uid, entry.uid);
	EXPECT_EQ(header.gid, entry.gid);
	EXPECT_EQ(header.mtime, entry.mtime);
	EXPECT_EQ(header.rdev_major, entry.rdev_major);
	EXPECT_EQ(header.rdev_minor, entry.rdev_minor);
}

} // namespace

void fuzz::try_input(FuzzedDataProvider &input)
{
	const host::Chunking chunking = {"any", input.ConsumeIntegralInRange<size_t>(1, 5000),
					 input.ConsumeBool()};
	std::vector<peer::Entry> entries;

	while (input.remaining_bytes() && entries.size() < 50)
		entries.push_back(entry_of(input, static_cast<u32>(entries.size()) + 1));

	const host::Data archive = peer::write(entries);
	host::Recorder got;

	ASSERT_FALSE(archive.empty());
	EXPECT_EQ(read_chunks(got, cut(archive, chunking), cpio::Hex::kStrict), "");
	EXPECT_TRUE(got.rest.empty());
	EXPECT_EQ(got.trailers, 1u);
	ASSERT_EQ(got.entries.size(), entries.size());
	for (size_t i = 0; i < entries.size(); i++)
		expect_equal(got.entries[i], entries[i]);
}
