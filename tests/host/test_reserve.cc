// SPDX-License-Identifier: GPL-2.0
// image/: initrd=, initrdmem= and reserve_initrd_mem().

#include "fixture.h"
#include "initrd/seam/boot.h"

namespace {

using host::kPage;
using host::physical;

class Reserve : public host::World {
protected:
	void SetUp() override { physical().memory = {0x1000, 0x10000000}; }

	static seam_physical_range set(const char *argument)
	{
		initrd_set(INITRD_PARAMETER_IMAGE, argument);
		return physical().image;
	}

	static seam_physical_range mapped() { return physical().mapped.back(); }
};

TEST_F(Reserve, TheParameterIsAddressAndSize)
{
	EXPECT_EQ(set("0x1000000,4096").start, 0x1000000u);
	EXPECT_EQ(physical().image.size, 4096u);
	EXPECT_EQ(set("16M,8M").start, 16u << 20);
	EXPECT_EQ(physical().image.size, 8u << 20);
	EXPECT_EQ(set("1G,0x10K").start, 1u << 30);
	EXPECT_EQ(physical().image.size, 16u << 10);
}

TEST_F(Reserve, OtherParametersAreIgnored)
{
	set("4096,8192");
	for (const char *argument : {"", "initrd.img", "0x1000", "0x1000;4096", ",4096"}) {
		EXPECT_EQ(set(argument).start, 4096u) << argument;
		EXPECT_EQ(physical().image.size, 8192u) << argument;
	}
	EXPECT_EQ(set(nullptr).start, 4096u);
}

TEST_F(Reserve, ASizeThatIsNoneMeansNoImage)
{
	set("4096,x");
	initrd_reserve();
	EXPECT_TRUE(physical().reserved.empty());
	EXPECT_EQ(mapped().size, 0u);
}

TEST_F(Reserve, TheParameterReservesWhereTheArchitectureLookedTooEarly)
{
	physical().reserves_too_early = true;
	EXPECT_EQ(set("0x200123,5000").size, 5000u);
	ASSERT_EQ(physical().reserved.size(), 1u);
	EXPECT_EQ(physical().reserved[0].start, 0x200000u);
	EXPECT_EQ(physical().reserved[0].size, 2 * kPage);
}

TEST_F(Reserve, TheSameParameterTwiceReservesOnceAndAnotherOneInstead)
{
	physical().reserves_too_early = true;
	EXPECT_EQ(set("0x200000,8192").size, 8192u);
	EXPECT_EQ(set("0x200000,8192").size, 8192u);
	ASSERT_EQ(physical().reserved.size(), 1u);
	EXPECT_EQ(set("0x300000,4096").start, 0x300000u);
	ASSERT_EQ(physical().reserved.size(), 1u);
	EXPECT_EQ(physical().reserved[0].start, 0x300000u);
}

TEST_F(Reserve, TheParameterIsDroppedWhereItsMemoryIsInUse)
{
	physical().reserves_too_early = true;
	physical().reserved.push_back({0x200000, 1});
	EXPECT_EQ(set("0x200123,5000").size, 0u);
	EXPECT_EQ(physical().reserved.size(), 1u);
}

TEST_F(Reserve, MemoryThatTheKernelMayNotUseNeedsNoReserving)
{
	physical().reserves_too_early = true;
	EXPECT_EQ(set("0x40000000,5000").size, 5000u);
	EXPECT_TRUE(physical().reserved.empty());
}

TEST_F(Reserve, WholePagesAreKeptAndTheImageItselfIsMapped)
{
	physical().image = {0x200123, 5000};
	initrd_reserve();
	ASSERT_EQ(physical().reserved.size(), 1u);
	EXPECT_EQ(physical().reserved[0].start, 0x200000u);
	EXPECT_EQ(physical().reserved[0].size, 2 * kPage);
	EXPECT_EQ(mapped().start, 0x200123u);
	EXPECT_EQ(mapped().size, 5000u);
	EXPECT_EQ(host::whole_log(), "");
}

TEST_F(Reserve, WithoutAnImageTheOldAddressIsForgotten)
{
	initrd_reserve();
	ASSERT_EQ(physical().mapped.size(), 1u);
	EXPECT_EQ(mapped().size, 0u);
	EXPECT_TRUE(physical().reserved.empty());
}

TEST_F(Reserve, MemoryThatIsNoneIsRefused)
{
	physical().image = {0x20000000, 0x3000};
	initrd_reserve();
	EXPECT_TRUE(physical().reserved.empty());
	EXPECT_EQ(mapped().size, 0u);
	EXPECT_EQ(host::whole_log(), "3 INITRD: 0x20000000+0x00003000 is not a memory region"
				     " - disabling initrd\n");
}

TEST_F(Reserve, WhereAnyRangeIsBelievedTheParameterLooks)
{
	physical().believes_any_range = true;
	EXPECT_EQ(set("0x200123,5000").start, 0x200123u);
	EXPECT_EQ(set("0x20000000,8K").size, 0u);
	EXPECT_EQ(set("0xfffffffffffff000,8K").size, 0u);
	EXPECT_TRUE(physical().reserved.empty());
	EXPECT_EQ(host::log_lines()[0].text,
		  "INITRD: 0x20000000+0x00002000 is not a memory region - disabling initrd");
	EXPECT_EQ(host::log_lines().size(), 2u);
}

TEST_F(Reserve, WhatTheKernelsTypesDoNotHoldIsNoMemory)
{
	physical().most = 0xffffffff;
	for (const char *argument : {"0x140000000,8M", "0x200000,4G"})
		EXPECT_EQ(set(argument).size, 0u) << argument;
	EXPECT_TRUE(host::logged(
		"INITRD: 0x140000000+0x00800000 is not a memory region - disabling initrd"));
	EXPECT_TRUE(host::logged(
		"INITRD: 0x00200000+0x100000000 is not a memory region - disabling initrd"));
}

TEST_F(Reserve, HighMemoryIsRefused)
{
	physical().high_memory = 0x302000;
	physical().image = {0x300000, 0x2001};
	initrd_reserve();
	EXPECT_TRUE(physical().reserved.empty());
	EXPECT_EQ(mapped().size, 0u);
	EXPECT_EQ(host::whole_log(), "3 INITRD: 0x00300000+0x00003000 is high memory: let the boot"
				     " loader put it lower - disabling initrd\n");
	physical().image = {0x300000, 0x2000};
	initrd_reserve();
	EXPECT_EQ(mapped().size, 0x2000u);
}

TEST_F(Reserve, AnImageThatEndsBehindMemoryIsRefused)
{
	physical().image = {0x10000000, 0x2000};
	initrd_reserve();
	EXPECT_TRUE(host::logged("INITRD: 0x10000000+0x00002000 is not a memory region"));
}

TEST_F(Reserve, MemoryInUseIsRefused)
{
	physical().reserved = {{0x300000, 0x1000}};
	physical().image = {0x2ff001, 0x1000};
	initrd_reserve();
	EXPECT_EQ(physical().reserved.size(), 1u);
	EXPECT_EQ(mapped().size, 0u);
	EXPECT_EQ(host::whole_log(), "3 INITRD: 0x002ff000+0x00002000 overlaps in-use memory region"
				     " - disabling initrd\n");
}

TEST_F(Reserve, WhereTheArchitectureHasLookedAlreadyTheParameterReserves)
{
	physical().reserves_too_early = true;
	EXPECT_EQ(set("0x200123,5000").start, 0x200123u);
	ASSERT_EQ(physical().reserved.size(), 1u);
	EXPECT_EQ(physical().reserved[0].start, 0x200000u);
	EXPECT_EQ(physical().reserved[0].size, 2 * kPage);
}

TEST_F(Reserve, ThereMemoryInUseIsNoImage)
{
	physical().reserves_too_early = true;
	physical().reserved = {{0x300000, 0x1000}};
	EXPECT_EQ(set("0x300000,4096").size, 0u);
	EXPECT_EQ(physical().reserved.size(), 1u);
	EXPECT_TRUE(host::logged("INITRD: 0x00300000+0x00001000 overlaps in-use memory region"
				 " - disabling initrd"));
}

TEST_F(Reserve, ThereMemoryThatTheKernelDoesNotUseIsLeftAlone)
{
	physical().reserves_too_early = true;
	EXPECT_EQ(set("0x20000000,4096").start, 0x20000000u);
	EXPECT_EQ(physical().image.size, 4096u);
	EXPECT_TRUE(physical().reserved.empty());
	EXPECT_EQ(host::whole_log(), "");
}

TEST_F(Reserve, ASizeThatWrapsIsRefused)
{
	physical().image = {0x200000, ~0ull - 0x1000};
	initrd_reserve();
	EXPECT_TRUE(physical().reserved.empty());
	EXPECT_EQ(mapped().size, 0u);
}

} // namespace
