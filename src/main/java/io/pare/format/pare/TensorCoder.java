package io.pare.format.pare;

import io.pare.file.FormatException;
import io.pare.format.pare.BitCoder.Frequencies;
import io.pare.format.pare.BitCoder.Part;
import io.pare.format.pare.PositionCoder.Way;
import io.pare.format.pare.ValueCoder.Kind;
import io.pare.net.CompressedTensor;
import java.util.Arrays;

/**
 * Codes one {@link CompressedTensor} as the page docs/format.md specifies; with a tensor when writing, with null when
 * reading.
 */
final class TensorCoder {
    /** Positions are coded decision by decision up to this number of candidate cells, by gaps above. */
    static final int MAX_CELLS = 1 << 22;

    /**
     * How a tensor is seen: {@code rows} outputs, {@code channels} inputs, {@code taps} positions per input in rows of
     * {@code width}.
     */
    record View(int rows, int channels, int taps, int width) {
        int perRow() {
            return channels * taps;
        }

        long cells(int ofRows, int ofChannels) {
            return (long) ofRows * ofChannels * taps;
        }
    }

    /** Which rows or channels positions are looked for in. */
    enum Selection {
        /** All of them. */
        ALL,
        /** The first of them, up to the last that holds anything. */
        FIRST,
        /** Those that are marked, because they hold something. */
        MARKED
    }

    /**
     * A writer's choices for one tensor.
     *
     * @param positionLevels of contexts, for the ways that mix
     * @param codeLevels of contexts, null for none
     */
    record Choice(Selection rows, Selection channels, Way way, int[] positionLevels, Kind kind, int[] codeLevels) {
        Choice positions(Selection otherRows, Selection otherChannels, Way otherWay, int[] levels) {
            return new Choice(otherRows, otherChannels, otherWay, levels, kind, codeLevels);
        }

        Choice values(Kind otherKind, int[] levels) {
            return new Choice(rows, channels, way, positionLevels, otherKind, levels);
        }
    }

    private final BitCoder coder;
    private final View view;
    private final long[] shape;
    private final boolean bias;
    private final Budget budget;
    private final Levels levels;

    /** How a version of the format writes whole levels of scales. */
    enum Levels {
        /** Not at all. */
        NONE,
        /** Decision by decision. */
        ADAPTIVE,
        /** Those of large tensors by {@link LevelTables}, others decision by decision. */
        TABLES
    }

    /** Bounds what a reader may be made to do. */
    interface Budget {
        /** Claims memory for {@code nonzeros} elements; throws {@link FormatException} if the file is too short. */
        void nonzeros(int nonzeros);

        /** Claims time for {@code cells} decisions. */
        void cells(long cells);

        /** Claims memory that stays. */
        void keep(long bytes);

        /** Claims memory that is free again after a tensor. */
        void scratch(long bytes);

        /** No bounds: for writing. */
        Budget FREE = new Budget() {
            @Override
            public void nonzeros(int nonzeros) {}

            @Override
            public void cells(long cells) {}

            @Override
            public void keep(long bytes) {}

            @Override
            public void scratch(long bytes) {}
        };
    }

    TensorCoder(BitCoder coder, View view, long[] shape, boolean bias, Budget budget) {
        this(coder, view, shape, bias, budget, Levels.NONE);
    }

    /** @param levels what the file's version knows */
    TensorCoder(BitCoder coder, View view, long[] shape, boolean bias, Budget budget, Levels levels) {
        this.levels = levels;
        this.coder = coder;
        this.view = view;
        this.shape = shape;
        this.bias = bias;
        this.budget = budget;
    }

    /**
     * Codes a tensor.
     *
     * @param needed rows whose output matters; the others hold zeros only, or a flag says that they do not
     * @param choice how to code, when writing
     */
    CompressedTensor code(CompressedTensor tensor, boolean[] needed, Choice choice) {
        coder.part(bias ? Part.BIASES : Part.POSITIONS);
        if (levels != Levels.NONE && coder.flag(tensor != null && LevelCoder.suits(tensor))) {
            return new LevelCoder(coder, budget, levels == Levels.TABLES && LevelTables.suits(shape))
                    .code(tensor, shape);
        }
        int[] rows = usefulRows(tensor, needed);
        int count = coder.number(tensor == null ? 0 : tensor.nonzeros(), bias ? 3 : 7);
        check(count, view.cells(rows.length, view.channels()));
        budget.nonzeros(count);
        if (count == 0) {
            return new CompressedTensor(shape, 0, new int[0], null, null, new float[0]);
        }
        int[] positions = tensor == null ? new int[count] : positions(tensor);
        codePositions(positions, rows, choice);
        return new ValueCoder(coder, view, tensor, count, budget).code(shape, positions,
                choice == null ? null : choice.kind(), choice == null ? null : choice.codeLevels(),
                bias ? Part.BIASES : Part.CODEBOOK,
                bias ? Part.BIASES : Part.CODES);
    }

    private void check(long count, long cells) {
        if (count > cells) {
            throw new FormatException("a tensor of shape " + Arrays.toString(shape) + " declares " + count
                    + " values in " + cells + " places: the file is damaged");
        }
    }

    /** The rows that may hold anything. */
    int[] usefulRows(CompressedTensor tensor, boolean[] needed) {
        if (count(needed) == needed.length) {
            return all(needed.length);
        }
        boolean outside = false;
        for (int i = 0; tensor != null && i < tensor.nonzeros() && !outside; i++) {
            outside = !needed[tensor.position(i) / view.perRow()];
        }
        return coder.flag(outside) ? all(needed.length) : indices(needed);
    }

    static int[] positions(CompressedTensor tensor) {
        int[] positions = new int[tensor.nonzeros()];
        for (int i = 0; i < positions.length; i++) {
            positions[i] = tensor.position(i);
        }
        return positions;
    }

    /** Codes where values are, and first how that is coded. */
    void codePositions(int[] positions, int[] useful, Choice choice) {
        int[] rows = useful;
        int[] channels = all(view.channels());
        Way way = Way.FLAT;
        int[] levels = null;
        if (!bias && positions.length < view.cells(rows.length, channels.length)) {
            rows = select(rows, positions, true, choice == null ? null : choice.rows());
            channels = select(channels, positions, false, choice == null ? null : choice.channels());
            check(positions.length, view.cells(rows.length, channels.length));
        }
        long cells = view.cells(rows.length, channels.length);
        if (!bias && positions.length < cells) {
            way = Way.values()[coder.bits(choice == null ? 0 : choice.way().ordinal(), 2)];
            if (way == Way.ROWS || way == Way.COLUMNS) {
                levels = Mixer.codeLevels(coder, choice == null ? null : choice.positionLevels(),
                        PositionCoder.usualLevels(view));
                if (!mixes(positions.length, cells)) {
                    throw new FormatException("contexts for " + positions.length + " values in " + cells
                            + " places: the file is damaged");
                }
                budget.scratch(PositionCoder.contextBytes(view, rows.length, channels.length));
            }
            if (way != Way.GAPS) {
                budget.cells(cells);
            }
        }
        new PositionCoder(coder, view, rows, channels).code(way, levels, positions);
    }

    /** Whether a writer may choose that. */
    boolean allows(int[] positions, int[] useful, Choice choice) {
        if (choice.way() == Way.FLAT || choice.way() == Way.GAPS) {
            return true;
        }
        BitCoder.Meter meter = new BitCoder.Meter();
        TensorCoder free = new TensorCoder(meter, view, shape, bias, Budget.FREE);
        int[] rows = free.select(useful, positions, true, choice.rows());
        int[] channels = free.select(all(view.channels()), positions, false, choice.channels());
        return mixes(positions.length, view.cells(rows.length, channels.length))
                && (choice.way() == Way.ROWS || PositionCoder.beginInOrder(view, rows, channels, positions));
    }

    /** Contexts take memory for every cell, so there must be few values and not too many cells. */
    static boolean mixes(int count, long cells) {
        return count <= cells / 2 && cells <= MAX_CELLS;
    }

    private int[] select(int[] candidates, int[] positions, boolean ofRows, Selection chosen) {
        int number = coder.number(chosen == null ? 0 : chosen.ordinal(), 0);
        if (number >= Selection.values().length) {
            throw new FormatException("rows or channels are selected in way " + number + ": the file is damaged");
        }
        Selection selection = Selection.values()[number];
        if (selection == Selection.ALL) {
            return candidates;
        }
        boolean[] used = new boolean[ofRows ? view.rows() : view.channels()];
        for (int i = 0; !coder.reads() && i < positions.length; i++) {
            used[ofRows ? positions[i] / view.perRow() : positions[i] % view.perRow() / view.taps()] = true;
        }
        if (selection == Selection.FIRST) {
            int length = candidates.length;
            while (!coder.reads() && length > 0 && !used[candidates[length - 1]]) {
                length--;
            }
            length = coder.number(length, 5);
            check(length, candidates.length);
            return Arrays.copyOf(candidates, length);
        }
        Frequencies frequencies = new Frequencies(1);
        int[] marked = new int[candidates.length];
        int count = 0;
        for (int candidate : candidates) {
            if (frequencies.code(coder, 0, used[candidate] ? 1 : 0) != 0) {
                marked[count++] = candidate;
            }
        }
        return Arrays.copyOf(marked, count);
    }

    static int[] all(int count) {
        int[] indices = new int[count];
        for (int i = 0; i < count; i++) {
            indices[i] = i;
        }
        return indices;
    }

    private static int count(boolean[] flags) {
        int count = 0;
        for (boolean flag : flags) {
            count += flag ? 1 : 0;
        }
        return count;
    }

    private static int[] indices(boolean[] flags) {
        int[] indices = new int[count(flags)];
        int at = 0;
        for (int i = 0; i < flags.length; i++) {
            if (flags[i]) {
                indices[at++] = i;
            }
        }
        return indices;
    }
}
