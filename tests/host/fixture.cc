// SPDX-License-Identifier: GPL-2.0

#include <algorithm>

#include "fixture.h"

namespace host {

Data sample(size_t size, unsigned seed)
{
	std::mt19937 random(seed);
	Data data;

	data.reserve(size + 64);
	while (data.size() < size) {
		if (random() % 4 == 0) {
			for (int i = 0; i < 24; i++)
				data.push_back(static_cast<u8>(random()));
		} else {
			const Data words = to_data("initial RAM disk, line " +
						   std::to_string(random() % 1000) + "\n");

			data.insert(data.end(), words.begin(), words.end());
		}
	}
	data.resize(size);
	return data;
}

std::vector<Data> cut(const Data &data, const Chunking &chunking)
{
	std::mt19937 random(static_cast<unsigned>(data.size()));
	std::vector<Data> chunks;

	for (size_t at = 0; at < data.size(); at += chunks.back().size()) {
		const size_t most = std::min(chunking.most, data.size() - at);
		const size_t size = chunking.random ? 1 + random() % most : most;
		const auto from = data.begin() + static_cast<std::ptrdiff_t>(at);

		chunks.emplace_back(from, from + static_cast<std::ptrdiff_t>(size));
	}
	return chunks;
}

void expect_nothing_left()
{
	ramdisk_destroy_all();
	EXPECT_EQ(live().blocks, 0u) << "memory blocks";
	EXPECT_EQ(live().pages, 0u) << "pages";
	EXPECT_EQ(live().maps, 0u) << "maps";
	EXPECT_EQ(live().windows, 0u) << "windows";
	EXPECT_EQ(live().codecs, 0u) << "codecs";
	EXPECT_EQ(live().files, 0u) << "open files";
	for (const std::string &complaint : complaints())
		ADD_FAILURE() << complaint;
	EXPECT_TRUE(surroundings_intact());
}

void World::TearDown()
{
	expect_nothing_left();
}

} // namespace host
