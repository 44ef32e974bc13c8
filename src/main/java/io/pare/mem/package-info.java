/**
 * Off-heap memory: {@link io.pare.mem.Region} owns it, {@link io.pare.mem.FloatTensor} gives it a shape.
 *
 * <p>Closing a region frees its memory and native handles. A close during a computation on that memory is refused with
 * {@link java.lang.IllegalStateException}.
 *
 * <p>Public: {@link io.pare.mem.Region} and {@link io.pare.mem.FloatTensor} are for everyone, the rest for Pare.
 *
 * <p>May use nothing else of Pare.
 */
package io.pare.mem;
