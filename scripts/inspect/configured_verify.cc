// SPDX-License-Identifier: GPL-2.0
// verify.cc looks at its options when it is compiled, so it is here once for every
// combination of them, each in a namespace of its own; the digests that are built in
// are put where each of them looks.

#include <algorithm>
#include <cstring>

#include "initrd/image/verify.h"
#include "initrd/formats/formats.h"
#include "initrd/image/named_parts.h"
#include "initrd/seam/log.h"
#include "initrd/support/parse.h"
#include "initrd/support/text.h"
#include "inspect/kernel.h"
#include "initrd/hosted/world.h"

namespace {

// CONFIG_INITRD_CXX_SHA256. (Many more than are taken have room in it.)
char built_in_digests[65536] = "";

} // namespace

#undef CONFIG_INITRD_CXX_SHA256
#define CONFIG_INITRD_CXX_SHA256 ::built_in_digests

// Forgets what the command line has said, in the namespace that it stands in.
#define FORGET                                        \
	void forget()                                 \
	{                                             \
		initrd::wanted = {};                  \
		initrd::enforced = initrd::kEnforced; \
		initrd::extra_allowed = false;        \
	}

// clang-format off
namespace verifying {
namespace initrd { using namespace ::initrd; }
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "initrd/image/verify.cc"
FORGET
}

#define CONFIG_INITRD_CXX_VERIFY_ENFORCE 1
namespace enforcing {
namespace initrd { using namespace ::initrd; }
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "initrd/image/verify.cc"
FORGET
}

#undef CONFIG_INITRD_CXX_VERIFY_ENFORCE
#undef CONFIG_INITRD_CXX_VERIFY
namespace without_verification {
namespace initrd { using namespace ::initrd; }
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "initrd/image/verify.cc"
FORGET
}
// clang-format on

namespace {

#define VERIFICATION_OF(space)                   \
	{                                        \
		space::initrd::add_digests,      \
		space::initrd::set_verification, \
		space::initrd::set_unnamed,      \
		space::initrd::verify_image,     \
		space::initrd::verify_absence,   \
	}

struct Verification {
	void (*add_digests)(const char *value);
	void (*set_verification)(const char *value);
	void (*set_unnamed)(const char *value);
	bool (*verify_image)(initrd::Bytes image);
	void (*verify_absence)();
};

constexpr Verification kVerifying = VERIFICATION_OF(verifying);
constexpr Verification kEnforcing = VERIFICATION_OF(enforcing);
constexpr Verification kWithout = VERIFICATION_OF(without_verification);

const Verification *configured = &kVerifying;

} // namespace

namespace initrd {

void add_digests(const char *value)
{
	configured->add_digests(value);
}

void set_verification(const char *value)
{
	configured->set_verification(value);
}

void set_unnamed(const char *value)
{
	configured->set_unnamed(value);
}

bool verify_image(Bytes image)
{
	return configured->verify_image(image);
}

void verify_absence()
{
	configured->verify_absence();
}

} // namespace initrd

namespace host {

void reset_verification()
{
	verifying::forget();
	enforcing::forget();
	without_verification::forget();
}

} // namespace host

namespace inspect {

void configure_verification(const Config &config)
{
	const std::string digests = config.text("INITRD_CXX_SHA256");
	const size_t size = std::min(digests.size(), sizeof(built_in_digests) - 1);

	std::memcpy(built_in_digests, digests.data(), size);
	built_in_digests[size] = 0;
	if (!config.may_be_built_in("INITRD_CXX_VERIFY"))
		configured = &kWithout;
	else
		configured = config.built_in("INITRD_CXX_VERIFY_ENFORCE") ? &kEnforcing :
									    &kVerifying;
}

} // namespace inspect
