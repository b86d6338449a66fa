/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all tests stand on: a fresh world before each, nothing left behind after
 * each; bytes in memory of their exact size; input in chunks of several kinds.
 */
#ifndef HOST_FIXTURE_H
#define HOST_FIXTURE_H

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "initrd/hosted/files.h"
#include "initrd/hosted/world.h"
#include "initrd/seam/blkdev.h"
#include "initrd/support/bytes.h"
#include "initrd/support/result.h"

namespace host {

using Data = std::vector<u8>;

inline Data to_data(const std::string &text)
{
	return {text.begin(), text.end()};
}

inline initrd::Bytes bytes_of(const Data &data)
{
	return {data.data(), data.size()};
}

inline Data operator+(Data a, const Data &b)
{
	a.insert(a.end(), b.begin(), b.end());
	return a;
}

/* `size` bytes that compress neither very well nor not at all. */
Data sample(size_t size, unsigned seed = 1);

/*
 * A copy in a block of exactly its size, so that ASan sees the first byte that
 * is read beyond it.
 */
class Exact {
public:
	explicit Exact(initrd::Bytes bytes) : memory_(new u8[bytes.size()]), size_(bytes.size())
	{
		if (size_)
			std::memcpy(memory_.get(), bytes.data(), size_);
	}
	explicit Exact(const Data &data) : Exact(bytes_of(data)) {}

	initrd::Bytes bytes() const { return {memory_.get(), size_}; }

private:
	std::unique_ptr<u8[]> memory_;
	size_t size_;
};

/* How input is cut into chunks. */
struct Chunking {
	const char *name;
	size_t most; /* bytes in a chunk */
	bool random;
};

inline constexpr Chunking kChunkings[] = {
	{"whole", ~size_t{0}, false},
	{"single_bytes", 1, false},
	{"random_few", 7, true},
	{"random_many", 300, true},
};

std::vector<Data> cut(const Data &data, const Chunking &chunking);

/*
 * Takes the RAM disks away and expects that nothing is left of what was tried in
 * this world, and that nothing was done wrong in it.
 */
void expect_nothing_left();

class World : public ::testing::Test {
protected:
	World() { reset(); }
	~World() override { reset(); }

	void TearDown() override;
};

} // namespace host

#endif
