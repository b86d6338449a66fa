/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Is the image one that may be used? Its SHA-256, or that of each of its parts, has to
 * be among those that are given by initrd.sha256= or built into the kernel, if any are.
 * Asked by boot/ before anything of the image is looked at.
 */
#ifndef INITRD_IMAGE_VERIFY_H
#define INITRD_IMAGE_VERIFY_H

#include "initrd/image/named_parts.h"
#include "initrd/support/build.h"
#include "initrd/support/bytes.h"

namespace initrd {

/* The digests that are wanted. */
class Wanted {
public:
	/* Digests with commas between them; one that is malformed is said. */
	void add(const char *list);
	/* Whether any were asked for, be they well-formed or not. */
	INLINE bool asked() const { return asked_; }
	INLINE Span<const Digest> all() const { return {digests_, count_}; }
	bool has(const Digest &digest) const;

private:
	void add(const char *text, size_t length);

	static constexpr size_t kMost = 16;

	Digest digests_[kMost] = {};
	size_t count_ = 0;
	bool asked_ = false;
};

/* A part, where it is and whether a digest names it. */
struct Part {
	size_t start;
	size_t end;
	Digest digest;
	bool named;
};

/* The parts that an image is made of, from its start on, as far as they are wanted. */
class Parts {
public:
	/* Whether all of `image` are. `extra_allowed`: archives of /.extra need no digest. */
	bool read(Bytes image, Span<const Digest> wanted, bool extra_allowed);
	INLINE Span<const Part> all() const { return {parts_, count_}; }

private:
	bool is_end(Bytes image, size_t start) const;

	static constexpr size_t kMost = 32;

	Part parts_[kMost] = {};
	size_t count_ = 0;
};

/*
 * One boot's verification: nothing is asked for, then perhaps something is, then the
 * image is judged, once. Whatever is unclear ends in refusal.
 */
class Verification {
public:
	INLINE constexpr explicit Verification(const Build &build)
		: build_(build), enforced_(build.enforces)
	{
	}

	/*
	 * initrd.sha256=: digests of 64 hexadecimal digits, with commas between them; what
	 * was given before counts on. One that is malformed is said and matches no image.
	 */
	INLINE void add_digests(const char *value) { wanted_.add(value); }

	/* initrd.verify=: "refuse" (the default) or "enforce". */
	void set_mode(const char *value);

	/*
	 * initrd.unnamed=: what is done with parts that no digest names: "refuse" (the
	 * default) or "extra", which lets archives in that hold /.extra alone.
	 */
	void set_unnamed(const char *value);

	/*
	 * Whether `image`, all of what the boot loader left, may be used: nobody has asked,
	 * or its digest is a wanted one, or those of all the parts are that it is made of.
	 * Else both are said, and under "enforce" the machine is going to stop, as it does
	 * when there is nothing to verify it by.
	 */
	bool allows(Bytes image);

	/* There is no image: the machine is going to stop under "enforce". */
	void note_absence() const;

private:
	void take_built_in_digests();
	void refuse(const char *why) const;
	void say_rest(Bytes image, Span<const Part> parts) const;
	void say_refusal(Bytes image, const Digest &found, Span<const Part> parts) const;

	Built build_;
	Wanted wanted_ = {};
	bool enforced_;
	bool extra_allowed_ = false; /* parts without a digest, if they are archives of /.extra */
	Parts parts_ = {};	     /* (Too large for the stack.) */
};

} // namespace initrd

#endif
