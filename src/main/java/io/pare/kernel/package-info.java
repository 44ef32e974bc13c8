/**
 * Numeric kernels over off-heap memory: elementwise and optimiser steps, and the projections of ADMM.
 *
 * <p>Everything takes (memory segment, byte offset, count); no class here knows a tensor. Segments must be native
 * (off-heap) or mapped, offsets must be multiples of four, numbers are little-endian. Loops go by address, as native code
 * does, but every call checks its ranges first and keeps their arenas open until it returns.
 */
package io.pare.kernel;
