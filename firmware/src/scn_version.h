/* SPDX-License-Identifier: MIT */
/* The firmware's version is the Python package's; the builder passes it as a macro. */
#ifndef SCN_VERSION_H
#define SCN_VERSION_H

#ifndef SCN_VERSION
#error "SCN_VERSION comes from the build: the __version__ of python/scenelet/__init__.py"
#endif

#endif
