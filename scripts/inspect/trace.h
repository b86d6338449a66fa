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

#include "initrd/formats/decoder.h"
#include "initrd/rootfs/unpack.h"
#include "inspect/recorder.h"
#include "inspect/report.h"

namespace inspect {

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

	/* Around what is only looked at, by the boot path or for the report. */
	void begin_look() { looks_++; }
	void end_look() { looks_--; }

	/* Around the unpacking of archives that begin at `archives`: none of them, where
	 * that is not in the image. */
	void begin_unpack(initrd::Bytes archives);
	void end_unpack(const initrd::rootfs::Unpacked &report, bool good);

	/* Decodes for the boot path, and looks on. `in` is an end of the image's bytes. */
	initrd::Result<size_t> decode(const char *compressor, initrd::Decoder decode,
				      initrd::Bytes in, initrd::Sink &out);
	/* Decoded bytes, before the boot path gets them. */
	void see(initrd::Bytes piece);
	/* Whether so much may come out: false once that is too much. */
	bool may_come_out(u64 bytes);

	/* The unpacking has ended; from here on the image is loaded into the RAM disk. */
	void begin_load() { loading_ = true; }

	/* Of what was decoded, `out` bytes are the image: streams behind them are not. */
	void end_image(u64 out);

	/* What was read as archives; what was decoded into the RAM disk. */
	const std::vector<Segment> &unpacked() const { return unpacked_; }
	const std::vector<Segment> &loaded() const { return loaded_; }
	const Recorder &recorder() const { return recorder_; }
	/* Whether more came out than may. */
	bool stopped() const { return came_out_ > most_; }

private:
	bool is_in_image(const u8 *at) const;
	std::vector<Segment> &segments() { return loading_ ? loaded_ : unpacked_; }
	Segment &begin_stream(const char *compressor, size_t offset);

	initrd::Bytes image_;
	u64 most_;
	u64 came_out_ = 0;
	u64 looked_out_ = 0; /* the same of what was only looked at */
	size_t base_ = 0;    /* where what is unpacked begins */
	size_t at_ = 0;	     /* what comes before it in the image has been read */
	bool loading_ = false;
	bool unpacking_ = false; /* the image, and nothing else */
	int looks_ = 0;
	Recorder recorder_;
	std::optional<initrd::cpio::Reader> reader_;
	bool reading_ = true; /* the reader has refused nothing yet */
	std::vector<Segment> unpacked_;
	std::vector<Segment> loaded_;
	/* Where a stream of the image ends, and what has come out up to there. */
	struct End {
		size_t at;
		u64 out;
	};
	std::vector<End> ends_;
};

/* What is decoded while one lives is not seen by the trace. */
class Look {
public:
	Look() { Trace::active()->begin_look(); }
	~Look() { Trace::active()->end_look(); }
	Look(const Look &) = delete;
	Look &operator=(const Look &) = delete;
};

} // namespace inspect

#endif
