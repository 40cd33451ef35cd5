/* SPDX-License-Identifier: MIT */
/* The firmware's version: the package's, of which the builder makes a macro. */
#ifndef SCN_VERSION_H
#define SCN_VERSION_H

#ifndef SCN_VERSION
#error "SCN_VERSION comes from the build: the __version__ of python/scenelet/__init__.py"
#endif

#endif
