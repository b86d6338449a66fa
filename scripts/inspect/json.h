/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A report as JSON. The schema is in initrd-inspect(1); fields are only ever added.
 */
#ifndef INSPECT_JSON_H
#define INSPECT_JSON_H

#include <string>

#include "inspect/report.h"

namespace inspect {

/* One JSON object, ending in a newline. Names are printable(). */
std::string json_of(const Report &report, const std::string &image, const std::string &version);

} // namespace inspect

#endif
