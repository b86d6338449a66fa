// SPDX-License-Identifier: GPL-2.0
// A kernel with CONFIG_INITRD_CXX_SHA256, that of "abc", and ..._VERIFY_ENFORCE.

#include "boots.h"

namespace {

using VerifyBuiltIn = host::Boot;

TEST_F(VerifyBuiltIn, TheRightImage)
{
	host::set_image(host::to_data("abc"));
	initrd_populate_rootfs();
	EXPECT_TRUE(
		host::logged(SEAM_LOG_INFO,
			     "initrd: image verified: 3 bytes, sha256 " CONFIG_INITRD_CXX_SHA256));
}

TEST_F(VerifyBuiltIn, AnotherOneStopsTheMachine)
{
	host::set_image(host::to_data("abd"));
	EXPECT_THROW(initrd_populate_rootfs(), host::Panic);
	EXPECT_TRUE(host::logged(SEAM_LOG_ERR, "initrd: image refused: "));
}

TEST_F(VerifyBuiltIn, TheCommandLineCannotAddOne)
{
	host::set_image(host::to_data("x"));
	initrd_set(INITRD_PARAMETER_DIGESTS,
		   "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881");
	EXPECT_THROW(initrd_populate_rootfs(), host::Panic);
	EXPECT_TRUE(host::logged(SEAM_LOG_WARNING, "initrd: initrd.sha256= is ignored: "));
}

TEST_F(VerifyBuiltIn, TheCommandLineCannotWeakenIt)
{
	host::set_image(host::to_data("abd"));
	initrd_set(INITRD_PARAMETER_VERIFICATION, "refuse");
	EXPECT_THROW(initrd_populate_rootfs(), host::Panic);
}

} // namespace
