// SPDX-License-Identifier: GPL-2.0
// Verification of the whole image. Whatever is unclear here ends in refusal: who asks
// for it does not want to boot something else by a slip of the pen.

#include "initrd/image/verify.h"

#include "initrd/kernel/digest.h"
#include "initrd/kernel/log.h"
#include "initrd/support/parse.h"
#include "initrd/support/text.h"

namespace initrd {
namespace {

constexpr bool kPossible = IS_ENABLED(CONFIG_INITRD_CXX_VERIFY);

#if IS_ENABLED(CONFIG_INITRD_CXX_VERIFY)
constexpr const char *kBuiltIn = CONFIG_INITRD_CXX_SHA256;
constexpr bool kEnforced = IS_ENABLED(CONFIG_INITRD_CXX_VERIFY_ENFORCE);
#else
constexpr const char *kBuiltIn = "";
constexpr bool kEnforced = false;
#endif

struct Digest {
	u8 bytes[SEAM_SHA256_SIZE];

	INLINE bool operator==(const Digest &other) const
	{
		return !__builtin_memcmp(bytes, other.bytes, sizeof(bytes));
	}
};

// The same in hexadecimal digits, as sha256sum prints it.
struct Digits {
	INLINE explicit Digits(const Digest &digest)
	{
		char *at = text;

		for (const u8 byte : digest.bytes) {
			*at++ = "0123456789abcdef"[byte >> 4];
			*at++ = "0123456789abcdef"[byte & 15];
		}
		*at = 0;
	}
	char text[2 * SEAM_SHA256_SIZE + 1];
};

class Wanted {
public:
	// Digests with commas between them.
	void add(const char *list)
	{
		asked_ = true;
		for (;;) {
			const char *end = list;

			while (*end && *end != ',')
				end++;
			if (end != list)
				add(list, static_cast<size_t>(end - list));
			if (!*end)
				return;
			list = end + 1;
		}
	}
	INLINE bool asked() const { return asked_; }
	INLINE Span<const Digest> all() const { return {digests_, count_}; }
	INLINE bool has(const Digest &digest) const
	{
		bool found = false;

		for (const Digest &one : all())
			found |= one == digest;
		return found;
	}

private:
	void add(const char *text, size_t length)
	{
		Digest digest = {};
		bool right = length == 2 * sizeof(digest.bytes);

		for (size_t i = 0; right && i < length; i++) {
			const u32 value = digit_value(text[i]);

			right = value < 16;
			digest.bytes[i / 2] = static_cast<u8>(digest.bytes[i / 2] << 4 | value);
		}
		if (!right) {
			seam_log(
				SEAM_LOG_ERR,
				"initrd: initrd.sha256=%.*s: not 64 hexadecimal digits, it matches no image\n",
				static_cast<int>(min(length, size_t{80})), text);
		} else if (has(digest)) {
			return;
		} else if (count_ == kMost) {
			seam_log(SEAM_LOG_ERR,
				 "initrd: initrd.sha256=: more than %zu digests, %.*s is ignored\n",
				 kMost, static_cast<int>(length), text);
		} else {
			digests_[count_++] = digest;
		}
	}

	static constexpr size_t kMost = 16;

	Digest digests_[kMost] = {};
	size_t count_ = 0;
	bool asked_ = false;
};

constinit Wanted wanted = {};
constinit bool enforced = kEnforced;

// Those in the kernel count alone: whoever may write a command line cannot add one.
void take_built_in_digests()
{
	if (!*kBuiltIn)
		return;
	if (wanted.asked())
		seam_log(
			SEAM_LOG_WARNING,
			"initrd: initrd.sha256= is ignored: this kernel has its digests built in\n");
	wanted = {};
	wanted.add(kBuiltIn);
}

void refuse(const char *why)
{
	if (enforced)
		seam_halt(why);
}

void say_refusal(const Digest &found, size_t size)
{
	const Span<const Digest> all = wanted.all();

	if (all.size() == 1) {
		seam_log(SEAM_LOG_ERR,
			 "initrd: image refused: the sha256 of its %zu bytes is %s, wanted %s\n",
			 size, Digits(found).text, Digits(all[0]).text);
		return;
	}
	seam_log(SEAM_LOG_ERR, "initrd: image refused: the sha256 of its %zu bytes is %s, %s\n",
		 size, Digits(found).text,
		 all.empty() ? "no digest is given" : "none of those wanted:");
	for (const Digest &one : all)
		seam_log(SEAM_LOG_ERR, "initrd: wanted %s\n", Digits(one).text);
}

} // namespace

void add_digests(const char *value)
{
	wanted.add(value);
}

void set_verification(const char *value)
{
	if (same_text(value, "enforce"))
		enforced = true;
	else if (same_text(value, "refuse"))
		enforced = kEnforced;
	else
		seam_log(SEAM_LOG_ERR,
			 "initrd: initrd.verify=%.80s: neither refuse nor enforce, ignored\n",
			 value);
}

bool verify_image(Bytes image)
{
	Digest found;

	take_built_in_digests();
	if (!wanted.asked() && !enforced)
		return true;
	if (!kPossible) {
		seam_log(
			SEAM_LOG_ERR,
			"initrd: image refused: it cannot be verified without CONFIG_INITRD_CXX_VERIFY\n");
		refuse("initrd: the image cannot be verified");
		return false;
	}
	seam_sha256(image.data(), image.size(), found.bytes);
	if (wanted.has(found)) {
		seam_log(SEAM_LOG_INFO, "initrd: image verified: %zu bytes, sha256 %s\n",
			 image.size(), Digits(found).text);
		return true;
	}
	say_refusal(found, image.size());
	refuse("initrd: the image is not the one that is wanted");
	return false;
}

void verify_absence()
{
	refuse("initrd: there is no image to verify");
}

} // namespace initrd
