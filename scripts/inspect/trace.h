/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the boot path reads, seen from outside while it does: the compressed streams
 * of an image, and the entries of the archives in it.
 */
#ifndef INSPECT_TRACE_H
#define INSPECT_TRACE_H

#include <optional>
#include <string>
#include <vector>

#include "initrd/cpio/reader.h"
#include "initrd/decode/decoder.h"
#include "inspect/report.h"

namespace inspect {

/* Writes down the entries of archives, with those that the reader leaves out. */
class Recorder final : public initrd::cpio::Handler {
public:
	initrd::Result<bool> begin(const initrd::cpio::Entry &entry) override;
	initrd::Result<void> data(initrd::Bytes) override { return {}; }
	initrd::Result<void> finish() override { return {}; }
	void abandon() override {}
	void trailer() override;

	std::vector<Entry> entries;
	u64 skipped = 0;   /* headers of which the reader makes no entry */
	bool full = false; /* there were more entries than are kept */
	/* Of what is read. */
	const initrd::cpio::Reader *reader = nullptr;
	size_t segment = 0;

private:
	void count_skipped();
	u64 seen_ = 0;	  /* headers */
	size_t text_ = 0; /* bytes of names and targets */
};

/*
 * One boot. There is one at a time; it follows all decoders of the table of formats
 * (configured_formats.cc) while it lives.
 */
class Trace {
public:
	/* Of `image`, which stays as it is; at most `most` bytes are let out of it. */
	Trace(initrd::Bytes image, u64 most);
	~Trace();
	Trace(const Trace &) = delete;
	Trace &operator=(const Trace &) = delete;
	static Trace *active();

	/* Decodes for the boot path, and looks on. `in` is an end of the image's bytes. */
	initrd::Result<size_t> decode(const char *compressor, initrd::Decoder decode,
				      initrd::Bytes in, initrd::Sink &out);
	/* Decoded bytes, before the boot path gets them. */
	void see(initrd::Bytes piece);
	/* Whether so much may come out: false once that is too much. */
	bool may_come_out(u64 bytes);

	/* The unpacking has ended; from here on the image is loaded into the RAM disk. */
	void begin_load();

	/* What was read as archives; what was decoded into the RAM disk. */
	const std::vector<Segment> &unpacked() const { return unpacked_; }
	const std::vector<Segment> &loaded() const { return loaded_; }
	const Recorder &recorder() const { return recorder_; }
	/* Whether more came out than may. */
	bool stopped() const { return came_out_ > most_; }

private:
	void read_plain(size_t end);
	void feed(initrd::Bytes piece);
	std::vector<Segment> &segments() { return loading_ ? loaded_ : unpacked_; }
	Segment &begin_stream(const char *compressor, size_t offset);

	initrd::Bytes image_;
	u64 most_;
	u64 came_out_ = 0;
	size_t at_ = 0; /* what comes before it in the image has been read */
	bool loading_ = false;
	Recorder recorder_;
	std::optional<initrd::cpio::Reader> reader_;
	bool reading_ = true; /* the reader has refused nothing yet */
	std::vector<Segment> unpacked_;
	std::vector<Segment> loaded_;
};

} // namespace inspect

#endif
