/**
 * Autodiff: {@link io.pare.exec.Graph} builds values, a {@link io.pare.exec.Tape} binds them to memory and runs them.
 *
 * <p>Layers, from the top; each uses only those below it:
 * <ul>
 * <li>{@link io.pare.exec.Tape} runs steps, forward and backward;
 * <li>{@code SegmentChoice} plans their memory by dry runs ({@code MemorySurvey}, {@code MemoryPlan}, {@code Segments});
 * <li>{@code Compiler} builds steps: values, gradients, and the moments from which lifetimes follow;
 * <li>{@link io.pare.exec.Step}, {@link io.pare.exec.StepFactory} and {@link io.pare.exec.Buffer} are what a backend brings.
 * Steps see {@link io.pare.exec.Building} and {@link io.pare.exec.Pass}, never the compiler or the tape.
 * </ul>
 *
 * <p>A {@link io.pare.exec.Backend} is a list of step factories. For each value the first factory that covers it makes the
 * step. Nothing here knows a backend, a data set or an optimiser.
 *
 * <p>A further backend is a package beside {@code exec.onednn}: a factory, steps for the operators that it computes faster, and a
 * buffer for its layout. Put the factory before that of {@code exec.java}, which computes the rest, and add the backend to
 * {@code exec.backend}. For a device with memory of its own:
 * <ul>
 * <li>The buffer holds device memory. Its {@link io.pare.exec.Buffer#plain} copies to row-major host memory, so any other step
 * can read it. The steps copy to the device where an input lies in another buffer.
 * <li>The factory has the device allocate, when steps are built, and leaves the freeing to
 * {@link io.pare.exec.Building#region()}. Such memory is outside the plan, like the heap arrays of {@code exec.sparse}.
 * <li>Weights, their gradients and the logits stay in host memory, where optimisers and projections work.
 * </ul>
 *
 * <p>Public for programs that build a graph or a backend of their own; {@code train} builds graphs of networks.
 *
 * <p>May use {@code net}, {@code kernel}, {@code mem.direct} and {@code mem}.
 */
@NullMarked
package io.pare.exec;

import org.jspecify.annotations.NullMarked;
