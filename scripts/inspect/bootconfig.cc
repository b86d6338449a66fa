// SPDX-License-Identifier: GPL-2.0

#include "inspect/bootconfig.h"

#include <cstring>

namespace inspect {

Bootconfig find_bootconfig(initrd::Bytes image)
{
	constexpr char kMagic[] = "#BOOTCONFIG\n";
	constexpr size_t kMagicSize = sizeof(kMagic) - 1;
	constexpr size_t kNumbers = 8; // its length and its sum
	constexpr size_t kPadding = 3; // that a boot loader may have put behind it
	constexpr u32 kMost = 32767;   // bytes, in the newest series: 6.1 looks later

	for (size_t padding = 0; padding <= kPadding; padding++) {
		if (image.size() < kMagicSize + kNumbers + padding)
			break;
		const size_t magic = image.size() - padding - kMagicSize;

		if (std::memcmp(image.data() + magic, kMagic, kMagicSize) != 0)
			continue;
		const size_t numbers = magic - kNumbers;
		const u32 size = initrd::load_le32(image, numbers);
		u32 sum = 0;

		if (size > numbers)
			return {0, 0, "it says that it is larger than the image"};
		if (size > kMost)
			return {0, 0,
				"it is larger than 32767 bytes, so the newest series leave it in the "
				"image (6.1 may cut it off, and does not use it either)"};
		for (const u8 byte : image.skip(numbers - size).first(size))
			sum += byte;
		if (sum != initrd::load_le32(image, numbers + 4))
			return {0, 0, "its checksum is wrong"};
		return {numbers - size, image.size() - (numbers - size), nullptr};
	}
	return {};
}

} // namespace inspect
