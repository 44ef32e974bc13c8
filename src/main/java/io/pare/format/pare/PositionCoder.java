package io.pare.format.pare;

import io.pare.file.FormatException;
import io.pare.format.pare.BitCoder.Frequencies;
import io.pare.format.pare.TensorCoder.View;

/**
 * Codes which cells of a tensor hold a value. The cells are those of some rows and some channels; positions are indices
 * into the whole tensor.
 */
final class PositionCoder {
    /** Ways to code positions. */
    enum Way {
        /** A decision per cell, all at the same rate: log2 C(n, k) bits. */
        FLAT,
        /** A decision per cell, row by row, mixed from contexts. */
        ROWS,
        /**
         * The same column by column. A row begins where its first value is, and rows stand in the order in which they
         * begin, so that it need not be said which row it is that begins.
         */
        COLUMNS,
        /** Distances between values. */
        GAPS
    }

    /** Contexts of a cell: its row, channel, column, kernel, tap, neighbours in the kernel, and row and tap. */
    private static final int ROW = 0;
    private static final int CHANNEL = 1;
    private static final int COLUMN = 2;
    private static final int KERNEL = 3;
    private static final int TAP = 4;
    private static final int NEIGHBOURS = 5;
    private static final int ROW_TAP = 6;
    private static final int OF_COLUMN = 1 << CHANNEL | 1 << COLUMN | 1 << TAP;
    private static final float[] PRIORS = {1, 0.6f, 0.4f, 0.3f, 1.2f, 0.5f, 0.9f};
    private static final int[] USUAL_KERNELS = {3, 4, 0, 3, 0, 5, 6};
    private static final int[] USUAL_SINGLE = {3, 3, 0, 0, 0, 0, 0};

    private final BitCoder coder;
    private final View view;
    private final int[] rows;
    private final int[] channels;
    private final int cells;
    private boolean[] taken;
    private Mixer mixer;
    private int[] positions;
    private int at;
    private int left;

    PositionCoder(BitCoder coder, View view, int[] rows, int[] channels) {
        this.coder = coder;
        this.view = view;
        this.rows = rows;
        this.channels = channels;
        this.cells = Math.toIntExact(view.cells(rows.length, channels.length));
    }

    /** Memory for contexts, at most: two counts for each, a flag for each place in a kernel, a bit for each cell. */
    static long contextBytes(View view, long rows, long channels) {
        long contexts = 2 * rows + channels + channels * view.taps() + view.taps() + 16 + rows * view.taps();
        return 2L * Short.BYTES * contexts + rows * view.taps() + view.cells((int) rows, (int) channels) / 8;
    }

    static int[] usualLevels(View view) {
        return view.taps() > 1 ? USUAL_KERNELS : USUAL_SINGLE;
    }

    /** Whether ascending positions fit {@link Way#COLUMNS}: rows begin in order, those that never do are the last. */
    static boolean beginInOrder(View view, int[] rows, int[] channels, int[] positions) {
        int[] channelOf = new int[view.channels()];
        for (int i = 0; i < channels.length; i++) {
            channelOf[channels[i]] = i;
        }
        int row = 0;
        int begin = 0;
        for (int i = 0; i < positions.length; i++) {
            int of = positions[i] / view.perRow();
            if (i > 0 && of == positions[i - 1] / view.perRow()) {
                continue;
            }
            int inRow = positions[i] % view.perRow();
            int column = channelOf[inRow / view.taps()] * view.taps() + inRow % view.taps();
            if (rows[row++] != of || column < begin) {
                return false;
            }
            begin = column;
        }
        return true;
    }

    /** Codes ascending positions; when reading, fills them in. */
    void code(Way way, int[] levels, int[] known) {
        positions = known;
        at = 0;
        left = cells;
        switch (way) {
            case GAPS -> gaps();
            case FLAT -> flat();
            default -> {
                int taps = view.taps();
                mixer = new Mixer((float) positions.length / cells, new int[]{rows.length, channels.length,
                    channels.length * taps, rows.length, taps, 16, rows.length * taps}, PRIORS, levels);
                taken = new boolean[rows.length * taps];
                if (way == Way.ROWS) {
                    byRows();
                } else {
                    byColumns();
                }
            }
        }
    }

    private int position(int row, int channel, int tap) {
        return (rows[row] * view.channels() + channels[channel]) * view.taps() + tap;
    }

    private void flat() {
        for (int row = 0; row < rows.length; row++) {
            for (int channel = 0; channel < channels.length; channel++) {
                for (int tap = 0; tap < view.taps() && at < positions.length; tap++, left--) {
                    int position = position(row, channel, tap);
                    int bit = 1;
                    if (left > positions.length - at) {
                        bit = coder.bit(known(position), Logistic.probability(share()));
                    }
                    if (bit != 0) {
                        positions[at++] = position;
                    }
                }
            }
        }
    }

    private float share() {
        return (float) (positions.length - at) / left;
    }

    private int known(int position) {
        return !coder.reads() && at < positions.length && positions[at] == position ? 1 : 0;
    }

    private void byRows() {
        int taps = view.taps();
        for (int row = 0; row < rows.length; row++) {
            for (int channel = 0; channel < channels.length; channel++) {
                mixer.forget(KERNEL, row);
                for (int tap = 0; tap < taps && at < positions.length; tap++) {
                    int position = position(row, channel, tap);
                    int bit = cell(row, channel, tap, known(position));
                    taken[row * taps + tap] = bit != 0;
                    if (bit != 0) {
                        positions[at++] = position;
                    }
                    left--;
                }
            }
        }
    }

    /** Codes columns, from a bitmap of the positions or into one that they are then taken from. */
    private void byColumns() {
        int taps = view.taps();
        int perRow = channels.length * taps;
        long[] map = new long[cells + 63 >> 6];
        if (!coder.reads()) {
            int next = 0;
            for (int row = 0, cell = 0; row < rows.length; row++) {
                for (int channel = 0; channel < channels.length; channel++) {
                    for (int tap = 0; tap < taps; tap++, cell++) {
                        if (next < positions.length && positions[next] == position(row, channel, tap)) {
                            map[cell >> 6] |= 1L << cell;
                            next++;
                        }
                    }
                }
            }
        }
        int begun = 0;
        for (int channel = 0; channel < channels.length && at < positions.length; channel++) {
            for (int row = 0; row < begun; row++) {
                mixer.forget(KERNEL, row);
            }
            java.util.Arrays.fill(taken, false);
            for (int tap = 0; tap < taps && at < positions.length; tap++) {
                int column = channel * taps + tap;
                for (int row = 0; row < begun && at < positions.length; row++) {
                    int cell = row * perRow + column;
                    int bit = cell(row, channel, tap, (int) (map[cell >> 6] >>> cell & 1));
                    left--;
                    take(map, row, tap, cell, bit);
                }
                while (begun < rows.length && at < positions.length) {
                    int cell = begun * perRow + column;
                    int bit = begin(rows.length - begun, channel, tap, (int) (map[cell >> 6] >>> cell & 1));
                    if (bit == 0) {
                        break;
                    }
                    left--;
                    take(map, begun, tap, cell, 1);
                    mixer.count(ROW, begun, column + 1, 1);
                    mixer.count(KERNEL, begun, 1, 1);
                    mixer.count(ROW_TAP, begun * taps + tap, 1, 1);
                    begun++;
                }
            }
        }
        at = 0;
        for (int row = 0, cell = 0; row < rows.length; row++) {
            for (int channel = 0; channel < channels.length; channel++) {
                for (int tap = 0; tap < taps; tap++, cell++) {
                    if ((map[cell >> 6] >>> cell & 1) != 0) {
                        positions[at++] = position(row, channel, tap);
                    }
                }
            }
        }
    }

    private void take(long[] map, int row, int tap, int cell, int bit) {
        taken[row * view.taps() + tap] = bit != 0;
        if (bit != 0) {
            map[cell >> 6] |= 1L << cell;
            at++;
        }
    }

    /** One decision per cell of a row that has begun; sure where all cells left must be taken. */
    private int cell(int row, int channel, int tap, int known) {
        if (left <= positions.length - at) {
            return 1;
        }
        int taps = view.taps();
        mixer.select(ROW, row);
        mixer.select(CHANNEL, channel);
        mixer.select(COLUMN, channel * taps + tap);
        mixer.select(KERNEL, row);
        mixer.select(TAP, tap);
        mixer.select(NEIGHBOURS, neighbours(row * taps, tap));
        mixer.select(ROW_TAP, row * taps + tap);
        return mixer.code(coder, Logistic.stretch(share()), known);
    }

    /** Whether a further one of {@code waiting} rows begins in a column: one less the chance that none does. */
    private int begin(int waiting, int channel, int tap, int known) {
        int column = channel * view.taps() + tap;
        int bit = 1;
        if (left > positions.length - at) {
            mixer.select(CHANNEL, channel);
            mixer.select(COLUMN, column);
            mixer.select(TAP, tap);
            float none = power(1 - mixer.estimate(Logistic.stretch(share()), OF_COLUMN), waiting);
            bit = coder.bit(known, Logistic.probability(1 - none));
        }
        int decisions = bit != 0 ? 1 : waiting;
        mixer.count(CHANNEL, channel, decisions, bit);
        mixer.count(COLUMN, column, decisions, bit);
        mixer.count(TAP, tap, decisions, bit);
        if (bit == 0) {
            left -= waiting;
            if (left < positions.length - at) {
                throw new FormatException("rows of a tensor begin too late for the values that it declares:"
                        + " the file is damaged");
            }
        }
        return bit;
    }

    private static float power(float base, int exponent) {
        float result = 1;
        float square = base;
        for (int e = exponent; e > 0; e >>= 1) {
            if ((e & 1) != 0) {
                result *= square;
            }
            square *= square;
        }
        return result;
    }

    /** Which of the cells left, above left, above, above right in the same kernel are taken, 4 bits. */
    private int neighbours(int kernel, int tap) {
        int width = view.width();
        int x = tap % width;
        int result = 0;
        if (x > 0 && taken[kernel + tap - 1]) {
            result |= 1;
        }
        if (tap >= width) {
            if (taken[kernel + tap - width]) {
                result |= 2;
            }
            if (x > 0 && taken[kernel + tap - width - 1]) {
                result |= 4;
            }
            if (x < width - 1 && taken[kernel + tap - width + 1]) {
                result |= 8;
            }
        }
        return result;
    }

    /** The number of empty cells before each value: its magnitude by a tree, the next bit adaptively, the rest raw. */
    private void gaps() {
        int[] rowOf = new int[view.rows()];
        int[] channelOf = new int[view.channels()];
        for (int i = 0; i < rows.length; i++) {
            rowOf[rows[i]] = i;
        }
        for (int i = 0; i < channels.length; i++) {
            channelOf[channels[i]] = i;
        }
        Frequencies magnitudes = new Frequencies(32);
        Frequencies seconds = new Frequencies(32);
        int taps = view.taps();
        int perRow = channels.length * taps;
        long next = 0;
        for (int i = 0; i < positions.length; i++) {
            int gap = 0;
            if (!coder.reads()) {
                int inRow = positions[i] % view.perRow();
                gap = (int) (rowOf[positions[i] / view.perRow()] * (long) perRow
                        + channelOf[inRow / taps] * taps + inRow % taps - next + 1);
            }
            int width = magnitudes.tree(coder, 31 - Integer.numberOfLeadingZeros(gap | 1), 5);
            if (width > 30) {
                throw new FormatException("a gap in the file has more than 31 bits: the file is damaged");
            }
            int coded = 1;
            if (width > 0) {
                coded = 2 | seconds.code(coder, width, gap >>> width - 1 & 1);
                coded = coded << width - 1 | coder.bits(gap, width - 1);
            }
            long cell = next + coded - 1;
            if (cell >= cells) {
                throw new FormatException("a value lies behind the end of its tensor: the file is damaged");
            }
            positions[i] = position((int) (cell / perRow), (int) (cell % perRow / taps), (int) (cell % taps));
            next = cell + 1;
        }
    }
}
