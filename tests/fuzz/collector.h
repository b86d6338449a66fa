/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A sink that keeps what comes, up to a limit: no input makes a process grow. ASan
 * watches the room that it lends.
 */
#ifndef FUZZ_COLLECTOR_H
#define FUZZ_COLLECTOR_H

#include <sanitizer/asan_interface.h>

#include "fixture.h"
#include "initrd/formats/decoder.h"
#include "initrd/seam/cpus.h"

namespace fuzz {

class Collector final : public initrd::Sink, private initrd::Preview {
public:
	struct Rules {
		bool keeps = false; /* all output side by side */
		bool joins = false;
		size_t extra = 0; /* lends so many bytes more than wanted */
		bool previews = false;
	};

	explicit Collector(const Rules &rules) : rules_(rules)
	{
		if (rules.keeps)
			set_keeps();
		if (rules.joins)
			set_joins_members();
		if (rules.previews)
			set_preview(*this);
	}
	virtual ~Collector() { ASAN_POISON_MEMORY_REGION(memory(), size_ + lent_); }

	initrd::Result<initrd::MutableBytes> lend(size_t wanted) override
	{
		EXPECT_GT(wanted, 0u);
		was_full_ = wanted > kMost - rules_.extra - size_;
		if (was_full_)
			return initrd::Error{initrd::kNoSpace, "the sink is full"};
		end_loan();
		lent_ = wanted + rules_.extra;
		ASAN_UNPOISON_MEMORY_REGION(room(), lent_);
		return initrd::MutableBytes(room(), lent_);
	}

	initrd::Result<void> commit(size_t made) override
	{
		EXPECT_GT(made, 0u);
		EXPECT_LE(made, lent_);
		seam_cond_resched();
		end_loan();
		ASAN_UNPOISON_MEMORY_REGION(room(), made);
		output_.insert(output_.end(), room(), room() + made);
		if (!rules_.keeps)
			ASAN_POISON_MEMORY_REGION(room(), made);
		size_ += made;
		return {};
	}

	const host::Data &output() const { return output_; }
	size_t size() const { return size_; }
	/* Whether it had no room, the last time that it was asked. */
	bool was_full() const { return was_full_; }

private:
	/* The largest block of any format, twice and a half. */
	static constexpr size_t kMost = size_t{20} << 20;

	/*
	 * One for all, as making so much of it takes longer than most inputs. Between
	 * two sinks, and but for what is lent or kept, nobody may touch it.
	 */
	static u8 *memory()
	{
		static u8 *const memory = [] {
			u8 *const made = new u8[kMost];

			ASAN_POISON_MEMORY_REGION(made, kMost);
			return made;
		}();

		return memory;
	}

	u8 *room() const { return memory() + size_; }

	void end_loan()
	{
		ASAN_POISON_MEMORY_REGION(room(), lent_);
		lent_ = 0;
	}

	initrd::Result<void> preview(initrd::Bytes head) override
	{
		EXPECT_LE(head.size(), initrd::kPreview);
		return {};
	}

	Rules rules_;
	host::Data output_;
	size_t size_ = 0;
	size_t lent_ = 0;
	bool was_full_ = false;
};

} // namespace fuzz

#endif
