/**
 * Off-heap memory: {@link io.pare.mem.Region} owns it, {@link io.pare.mem.FloatTensor} gives it a shape.
 *
 * <p>Closing a region frees its memory and native handles. A close during a computation on that memory is refused with
 * {@link java.lang.IllegalStateException}.
 *
 * <p>Public. Begin with these two. The rest serves code that computes on memory of its own: {@link
 * io.pare.mem.CriticalSection} keeps regions open meanwhile, {@link io.pare.mem.OneThread} refuses a second thread.
 *
 * <p>May use nothing else of Pare.
 */
@NullMarked
package io.pare.mem;

import org.jspecify.annotations.NullMarked;
