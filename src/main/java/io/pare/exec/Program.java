package io.pare.exec;

import io.pare.mem.FloatTensor;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;

/**
 * Steps that are bound to memory, as a {@link Compiler} leaves them.
 *
 * @param steps in the order of the forward pass
 * @param segments which of them run twice
 * @param repeated the moment in which each step computes again; 0 for none
 * @param reversed the moment in which each step computes gradients
 * @param sums what follows the backward pass: gradients that several steps contribute to
 * @param finished parameters whose gradients are whole after a step's backward rule; those in none are so at the end
 * @param inputs by name
 * @param labels ints, one for each sample
 * @param output the wanted value
 * @param pass the pass that the steps read
 * @param once what runs before the first pass
 * @param reorders layout conversions of a pass, at most
 */
record Program(Step[] steps, Segments segments, int[] repeated, int[] reversed, Runnable[] sums,
        List<List<String>> finished, Map<String, FloatTensor> inputs, MemorySegment labels, Source output, Pass pass,
        List<Runnable> once,
        int reorders) {}
