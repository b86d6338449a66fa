// SPDX-License-Identifier: GPL-2.0
// What an image is, and how large its superblock says that it is.

#include <algorithm>

#include "initrd/formats/formats.h"
#include "target.h"

namespace {

using namespace initrd;
using host::Data;

// Behind the last magic number of the table, and what belongs to it.
constexpr size_t kMost = size_t{70} << 10;
// As much as the loader shows of what it has decoded.
constexpr size_t kHead = size_t{68} << 10;

// The image that the input describes: its own bytes, somewhere in zeros. Without
// the numbers behind the bytes, it is the bytes.
Data image_of(FuzzedDataProvider &input)
{
	const auto rows = known_formats;
	const Format &row = rows[input.ConsumeIntegralInRange<size_t>(0, rows.size() - 1)];
	const size_t before = input.ConsumeIntegral<u8>();
	const size_t zeros = input.ConsumeIntegralInRange<size_t>(0, kMost);
	const Data bytes = input.ConsumeRemainingBytes<u8>();
	Data image(row.offset > before ? row.offset - before : 0);

	image.insert(image.end(), bytes.begin(), bytes.end());
	image.resize(std::max(image.size(), zeros));
	return image;
}

struct Look {
	const Format *format;
	const Format *compressed;
	std::vector<u64> sizes;

	bool operator==(const Look &) const = default;
};

// Everything that can be asked of an image, whatever it is.
Look look(Bytes image)
{
	const host::Exact exact(image);
	Look look = {identify(exact.bytes()), identify_compressed(exact.bytes()), {}};

	for (const Format &format : known_formats)
		look.sizes.push_back(claimed_size(format, exact.bytes()));
	return look;
}

bool has_magic(Bytes image, const Format &format)
{
	return image.size() >= format.offset + format.magic_size &&
	       std::equal(format.magic, format.magic + format.magic_size,
			  image.begin() + format.offset) &&
	       (!format.looks_right || format.looks_right(image));
}

// count << shift without the limits of 64 bits, then with them. No file system has
// blocks of so many bits that it does not matter how many blocks.
u64 shifted(u64 count, u64 shift)
{
	if (shift > 63)
		return ~0ull;
	const unsigned __int128 size = static_cast<unsigned __int128>(count) << shift;

	return size > ~0ull ? ~0ull : static_cast<u64>(size);
}

// What two superblocks say, read by hand.
void expect_size(const Data &image, const Format &format, u64 claimed)
{
	const auto number = [&image](size_t at, size_t bytes, bool big) {
		u64 value = 0;

		for (size_t i = 0; i < bytes; i++)
			value = value << 8 | image[at + (big ? i : bytes - 1 - i)];
		return value;
	};
	const std::string name = format.name;

	if (name == "xfs" && image.size() > 120) {
		EXPECT_EQ(claimed, shifted(number(8, 8, true), image[120]));
	} else if (name == "f2fs" && image.size() >= 1024 + 44) {
		EXPECT_EQ(claimed,
			  shifted(number(1024 + 36, 8, false), number(1024 + 16, 4, false)));
	}
}

} // namespace

void fuzz::try_input(FuzzedDataProvider &input)
{
	const size_t cut = input.ConsumeIntegralInRange<size_t>(0, kMost);
	const Data image = image_of(input);
	const Bytes bytes = host::bytes_of(image);
	const Look whole = look(bytes);
	const Look part = look(bytes.first(cut));
	const auto rows = known_formats;

	// The first row that fits.
	const auto first = std::find_if(rows.begin(), rows.end(), [bytes](const Format &row) {
		return has_magic(bytes, row);
	});

	EXPECT_EQ(whole.format, first == rows.end() ? nullptr : first);
	if (whole.compressed) {
		EXPECT_EQ(whole.compressed->kind, Kind::kCompressed);
		EXPECT_LE(whole.format, whole.compressed);
	}
	// What comes later has no say in it.
	EXPECT_EQ(look(bytes.first(kHead)), whole);
	// Bytes that are missing make it less known, never different.
	for (size_t i = 0; i < rows.size(); i++) {
		EXPECT_TRUE(part.sizes[i] == 0 || part.sizes[i] == whole.sizes[i]) << rows[i].name;
		expect_size(image, rows[i], whole.sizes[i]);
	}
	if (const char *const hint = hint_for(bytes))
		EXPECT_NE(*hint, 0);
}
