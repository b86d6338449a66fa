// SPDX-License-Identifier: GPL-2.0
// What is read of the command line: numbers as strtoull() reads them, reservations
// that are whole and belong to nobody else, and no text that does any harm.

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>

#include "initrd/boot/boot.h"
#include "initrd/image/region.h"
#include "initrd/image/verify.h"
#include "initrd/seam/blkdev.h"
#include "initrd/seam/boot.h"
#include "initrd/support/parse.h"
#include "initrd/support/text.h"
#include "target.h"

namespace {

using namespace initrd;

// A NUL-terminated text in a block of its exact size.
class Text {
public:
	explicit Text(const std::string &text) : exact_(data_of(text)) {}
	const char *get() const { return reinterpret_cast<const char *>(exact_.bytes().data()); }

private:
	static host::Data data_of(const std::string &text)
	{
		return host::to_data(std::string(text.c_str()) + '\0');
	}

	host::Exact exact_;
};

struct Number {
	bool good;
	u64 value;
	size_t length; // of the text that it was read from
};

// By the C library, which takes blanks and signs, too: those are none here.
Number number_of(const char *text)
{
	char *end;

	if (!std::isdigit(static_cast<unsigned char>(*text)))
		return {false, 0, 0};
	errno = 0;
	const u64 value = std::strtoull(text, &end, 0);

	return {errno == 0, errno ? 0 : value, static_cast<size_t>(end - text)};
}

Number size_of(const char *text)
{
	const std::string suffixes = "kmgtpe";
	Number number = number_of(text);
	const char suffix = text[number.length];
	const size_t at = suffix ? suffixes.find(static_cast<char>(std::tolower(suffix))) :
				   std::string::npos;

	if (!number.good || at == std::string::npos)
		return number;
	const size_t shift = 10 * (at + 1);
	const auto size = static_cast<unsigned __int128>(number.value) << shift;

	number.good = size <= ~0ull;
	number.value = number.good ? static_cast<u64>(size) : 0;
	number.length++;
	return number;
}

void expect_number(const Number &number, const char *text, bool (*parse)(const char *&, u64 &))
{
	const char *end = text;
	u64 value = 1;

	EXPECT_EQ(parse(end, value), number.good) << text;
	EXPECT_EQ(value, number.value) << text;
	if (number.good)
		EXPECT_EQ(static_cast<size_t>(end - text), number.length) << text;
}

void try_numbers(const Text &text)
{
	const char *const start = text.get();
	const Number kib = number_of(start);
	const Number bytes = size_of(start);
	const u64 parsed = ramdisk_parse_kib(start);

	expect_number(kib, start,
		      [](const char *&at, u64 &value) { return parse_number(at, value); });
	expect_number(bytes, start,
		      [](const char *&at, u64 &value) { return parse_size(at, value); });

	// KiB, or bytes with a suffix; nothing else behind them.
	const u64 most = ~0ull >> 11;

	if (kib.good && !start[kib.length])
		EXPECT_EQ(parsed, kib.value <= most ? kib.value : 0);
	else if (kib.good && bytes.good && !start[bytes.length])
		EXPECT_EQ(parsed, bytes.value >> 10 <= most ? bytes.value >> 10 : 0);
	else
		EXPECT_EQ(parsed, 0u);
}

void try_texts(const std::string &a, const std::string &b)
{
	const std::string x = a.c_str();
	const std::string y = b.c_str();
	const Text first(a);
	const Text second(b);

	EXPECT_EQ(same_text(first.get(), second.get()), x == y);
	EXPECT_EQ(starts_with(first.get(), second.get()), x.compare(0, y.size(), y) == 0);
}

// Where the machine of this input has memory, and who has some of it already.
void lay_out_memory(FuzzedDataProvider &input)
{
	host::Physical &physical = host::physical();

	physical.memory = {input.ConsumeIntegral<u16>() * u64{host::kPage},
			   input.ConsumeIntegral<u32>() * u64{host::kPage}};
	physical.high_memory = input.ConsumeBool() ? input.ConsumeIntegral<u32>() : 0;
	physical.reserves_too_early = input.ConsumeBool();
	if (input.ConsumeBool())
		physical.reserved.push_back({input.ConsumeIntegral<u32>(), host::kPage});
}

// `others`: what was reserved before the parameters were read.
void expect_sound_reservation(const std::vector<seam_physical_range> &others)
{
	const host::Physical &physical = host::physical();

	// Nobody else's memory is given back, and at most one range is ours.
	ASSERT_GE(physical.reserved.size(), others.size());
	ASSERT_LE(physical.reserved.size(), others.size() + 1);
	if (physical.reserved.size() == others.size())
		return;
	const seam_physical_range own = physical.reserved.back();

	EXPECT_EQ(own.start % host::kPage, 0u);
	EXPECT_EQ(own.size % host::kPage, 0u);
	EXPECT_TRUE(seam_is_memory(own));
	for (const seam_physical_range &other : others)
		EXPECT_TRUE(own.start >= other.start + other.size ||
			    other.start >= own.start + own.size);
	// It is there for the image, all of it.
	const seam_physical_range image = physical.image;

	EXPECT_GE(image.start, own.start);
	EXPECT_LE(image.start - own.start + image.size, own.size);
}

// Whether a list of digests has that of nothing.
bool has_digest_of_nothing(const std::string &list)
{
	constexpr const char *kDigest =
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	std::string lower = list;

	for (char &letter : lower)
		letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
	return ("," + lower + ",").find(std::string(",") + kDigest + ",") != std::string::npos;
}

// Who asks for digests gets nothing else.
void try_digests(const Text &value)
{
	Verification verification(the_boot.build());

	verification.add_digests(value.get());
	const bool accepted = verification.allows({});

	// (There is room for sixteen.)
	if (std::strlen(value.get()) < 16 * 65)
		EXPECT_EQ(accepted, has_digest_of_nothing(value.get())) << value.get();
	else
		EXPECT_TRUE(!accepted || has_digest_of_nothing(value.get()));
}

void try_parameter(const std::string &name, const Text &value)
{
	if (name == "initrd") {
		initrd_set(INITRD_PARAMETER_IMAGE, value.get());
	} else if (name == "ramdisk_start") {
		const int before = host::image_start_block();

		initrd_set(INITRD_PARAMETER_START_BLOCK, value.get());
		const Number number = number_of(value.get());

		EXPECT_EQ(host::image_start_block(), number.good && number.value <= 0x7fffffff ?
							     static_cast<int>(number.value) :
							     before);
	} else if (name == "retain_initrd") {
		EXPECT_EQ(initrd_set(INITRD_PARAMETER_RETAIN, value.get()) != 0, !*value.get());
	} else if (name == "noinitrd") {
		initrd_set(INITRD_PARAMETER_NOINITRD, "");
	} else {
		initrd_see(Text(name).get(), value.get());
	}
}

} // namespace

void fuzz::try_input(FuzzedDataProvider &input)
{
	lay_out_memory(input);
	const std::vector<seam_physical_range> others = host::physical().reserved;

	const int most = 1 << input.ConsumeIntegralInRange(0, 8);
	const int asked = input.ConsumeIntegral<int>();
	const int partitions = ramdisk_sane_partitions(asked, most);

	EXPECT_GE(partitions, 1);
	EXPECT_LE(partitions, most);
	EXPECT_TRUE(partitions == most || (1 << 20) % partitions == 0);
	EXPECT_TRUE(partitions >= std::min(asked, most));

	// The command line: one parameter in a line, with its value behind a "=".
	std::string line = input.ConsumeRemainingBytesAsString();

	for (size_t end; !line.empty(); line.erase(0, end == line.npos ? end : end + 1)) {
		end = line.find('\n');
		const std::string word = line.substr(0, end);
		const size_t equals = std::min(word.find('='), word.size());
		const std::string name = word.substr(0, equals);
		const std::string value = word.substr(std::min(equals + 1, word.size()));
		const Text exact(value);

		try_numbers(exact);
		try_digests(exact);
		try_texts(name, value);
		try_parameter(name, exact);
		expect_sound_reservation(others);
	}
	// They are all done; the image is not where it was said to be.
	initrd_reserve();
	for (const seam_physical_range &mapped : host::physical().mapped)
		EXPECT_TRUE(!mapped.size || seam_is_memory(mapped));
	initrd_populate_rootfs();
	EXPECT_EQ(initrd_load_root(nullptr), 0);
}
