/**
 * oneDNN primitives over {@link io.pare.mem.Region} memory: built once for each shape, then executed by one downcall
 * each, without Java allocation.
 *
 * <p>The pattern is always the same. Create the operation for a shape; ask its {@link io.pare.dnnl.Primitive}s which
 * layouts they want; give each a {@link io.pare.dnnl.DnnlMemory} of that layout, with a {@link io.pare.dnnl.Reorder}
 * where the present layout differs; bind; and run the resulting {@link io.pare.dnnl.Execution}s in each step. All handles
 * belong to the region and are destroyed by its close. Scratchpads are always the caller's, so that an execution may
 * run on any thread.
 *
 * <p>Internal: may change at any time. Its classes are public only because other packages of Pare use them.
 *
 * <p>May use {@code natives}, {@code ffm.dnnl} and {@code mem}.
 */
package io.pare.dnnl;
