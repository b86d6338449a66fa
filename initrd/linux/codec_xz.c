// SPDX-License-Identifier: GPL-2.0
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/xz.h>

#include "initrd/linux/fault.h"
#include "initrd/seam/codec.h"

/* A seam_xz is the library's struct xz_dec under another name. */
static struct xz_dec *to_xz(struct seam_xz *codec)
{
	return (struct xz_dec *)codec;
}

struct seam_xz * __init seam_xz_new(void)
{
	return seam_fault() ? NULL : (struct seam_xz *)xz_dec_init(XZ_DYNALLOC, U32_MAX);
}

void __init seam_xz_reset(struct seam_xz *codec)
{
	xz_dec_reset(to_xz(codec));
}

enum seam_codec_status __init seam_xz_step(struct seam_xz *codec, struct seam_codec_io *io)
{
	struct xz_buf buffers = {
		.in = io->in, .in_size = io->in_left,
		.out = io->out, .out_size = io->out_left,
	};
	enum xz_ret status = xz_dec_run(to_xz(codec), &buffers);

	io->in += buffers.in_pos;
	io->in_left -= buffers.in_pos;
	io->out += buffers.out_pos;
	io->out_left -= buffers.out_pos;
	switch (status) {
	case XZ_OK:
	case XZ_UNSUPPORTED_CHECK:
		return SEAM_CODEC_MORE;
	case XZ_STREAM_END:
		return SEAM_CODEC_END;
	case XZ_MEM_ERROR:
	case XZ_MEMLIMIT_ERROR:
		return SEAM_CODEC_NO_MEMORY;
	case XZ_OPTIONS_ERROR:
		return SEAM_CODEC_UNSUPPORTED;
	/* Nothing was left to read or no room: C++ knows which. */
	case XZ_BUF_ERROR:
		return io->in_left && io->out_left ? SEAM_CODEC_CORRUPT : SEAM_CODEC_MORE;
	default:
		return SEAM_CODEC_CORRUPT;
	}
}

int __init seam_xz_has_filter(u32 id)
{
	static const u8 has[] __initconst = {
		[0x04] = IS_ENABLED(CONFIG_XZ_DEC_X86),
		[0x05] = IS_ENABLED(CONFIG_XZ_DEC_POWERPC),
		[0x06] = IS_ENABLED(CONFIG_XZ_DEC_IA64),
		[0x07] = IS_ENABLED(CONFIG_XZ_DEC_ARM),
		[0x08] = IS_ENABLED(CONFIG_XZ_DEC_ARMTHUMB),
		[0x09] = IS_ENABLED(CONFIG_XZ_DEC_SPARC),
		[0x0a] = IS_ENABLED(CONFIG_XZ_DEC_ARM64),
		[0x0b] = IS_ENABLED(CONFIG_XZ_DEC_RISCV),
	};

	return id < ARRAY_SIZE(has) && has[id];
}

void __init seam_xz_free(struct seam_xz *codec)
{
	xz_dec_end(to_xz(codec));
}
