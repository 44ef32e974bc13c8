package io.pare.net;

import java.util.List;

/**
 * How the units of an operator's output come from those of its inputs. Analyses that follow units through a network ask
 * this and name no operator: liveness, the order of units, dead weights.
 *
 * <p>Units are channels of an image and features of a vector. Where an image becomes a vector, each channel becomes a run
 * of features.
 */
public sealed interface Flow {
    /**
     * Unit {@code u} of the output depends on unit {@code u} of the only input alone.
     *
     * @param shiftPasses whether a constant added to a unit comes out as it went in
     */
    record Keep(boolean shiftPasses) implements Flow {}

    /**
     * The units of each input stand, one after another, in the output; units that none takes are zero.
     *
     * @param starts for each input, where its first unit stands
     */
    record Place(List<Integer> starts) implements Flow {
        /** Copies the list. */
        public Place {
            starts = List.copyOf(starts);
        }
    }

    /** Unit {@code u} of the output depends on unit {@code u} of every input alone. */
    record Same() implements Flow {}

    /**
     * Each unit of the output sums over units of the input, through a row of the weight {@code [out, in / groups, taps]}.
     *
     * @param in units of the input
     * @param out units of the output
     * @param groups the output's units, in as many equal runs, read as many runs of the input's
     * @param taps weights for each pair of units
     * @param pads whether zeros around the input are read as well
     */
    record Mix(int in, int out, int groups, int taps, boolean pads) implements Flow {
        /** {@return the weights of one unit of the output} */
        public int perRow() {
            return in / groups * taps;
        }

        /**
         * {@return the unit of the input that weight {@code k} of row {@code output} reads}
         *
         * @param output unit of the output
         * @param k number of the weight in its row
         */
        public int source(int output, int k) {
            return output / (out / groups) * (in / groups) + k / taps;
        }
    }

    /** Each unit of the output depends on several of the inputs, or in a way of its own. */
    record Blend() implements Flow {}
}
