// SPDX-License-Identifier: GPL-2.0

#include "initrd/formats/parallel.h"

#include "initrd/seam/cpus.h"
#include "initrd/seam/memory.h"

namespace initrd {
namespace {

constexpr size_t kMaxCpus = 64;
// Blocks that a processor may have in one batch: of bgzip, 32 MiB.
constexpr size_t kBlocksPerCpu = 512;
// Bytes that a processor may have in one batch. A large one evens out what blocks
// and processors differ in, and what lies between two batches is done by one
// processor alone. All of it is at most a quarter of the memory that is free.
constexpr size_t kMostPerCpu = size_t{32} << 20;
constexpr size_t kMost = size_t{512} << 20;
// Below this, to wake another processor takes longer than to decode.
constexpr size_t kWorthwhile = size_t{128} << 10;

struct Batch {
	const Framing &framing;
	WorkList list;
};

extern "C" void decode_ahead(void *context)
{
	// SAFETY: the batch that run_parallel() below is called with.
	Batch &batch = *static_cast<Batch *>(context);

	batch.framing.work(batch.list);
}

} // namespace

// Lists the blocks of the next batch; returns how many, 0 if it is not worth it.
size_t Ahead::collect(size_t at)
{
	const u64 most = min<u64>(min(cpus_ * kMostPerCpu, kMost), seam_memory_available() / 4);
	const Span<Work> works = this->works();
	size_t count = 0;
	Block block;

	room_ = 0;
	while (count < works.size() && framing_.find(in_, at, block) &&
	       block.size <= most - room_) {
		works[count++] = {block.in, MutableBytes(nullptr, block.size), block.end, -1};
		room_ += block.size;
		at = block.end;
	}
	if (count > 1 && room_ >= kWorthwhile)
		return count;
	out_.set_looked_ahead(in_.data() + at);
	return 0;
}

// Decodes a batch and hands on what is good from its start on.
Result<size_t> Ahead::decode(size_t at, size_t count)
{
	const Span<Work> works = this->works().first(count);
	auto lent = out_.lend(room_);
	size_t made = 0;

	// The decoder asks for less at once.
	given_up_ = !lent;
	if (!lent)
		return at;
	MutableBytes room = lent.value();

	for (Work &work : works) {
		const size_t size = work.out.size();

		work.out = room.first(size);
		room = room.skip(size);
	}
	Batch batch = {framing_, works};

	seam_run_parallel(decode_ahead, &batch, min(cpus_, count));
	for (const Work &work : works) {
		given_up_ = work.made < 0;
		if (given_up_)
			break;
		const size_t size = static_cast<size_t>(work.made);
		u8 *const place = lent.value().data() + made;

		// What follows a short one has come out behind its place.
		if (size && place != work.out.data())
			__builtin_memmove(place, work.out.data(), size);
		made += size;
		last_made_ = size;
		at = work.end;
	}
	if (made)
		TRY(out_.commit(made));
	out_.consumed(at);
	return at;
}

Result<size_t> Ahead::run(size_t at)
{
	// Once for each run: processors come and go.
	cpus_ = min(seam_cpus(), kMaxCpus);
	if (cpus_ == 1 || given_up_ || in_.data() + at < out_.looked_ahead())
		return at;
	while (!given_up_) {
		Block block;

		if (!framing_.find(in_, at, block))
			break;
		if (!list_.size()) {
			auto list = Buffer::create(cpus_ * kBlocksPerCpu * sizeof(Work));

			given_up_ = !list;
			if (!list)
				break;
			list_ = move(list.value());
		}
		const size_t count = collect(at);

		if (!count)
			break;
		at = TRY(decode(at, count));
		if (given_up_)
			out_.set_looked_ahead(in_.data() + works()[count - 1].end);
	}
	return at;
}

} // namespace initrd
