package io.pare.format;

import io.pare.format.BitCoder.Frequencies;
import io.pare.format.BitCoder.Part;
import java.util.Arrays;

/**
 * Codes one {@link CompressedTensor} as the page PARE-FORMAT.md says; with a tensor when writing, with null when
 * reading.
 */
final class TensorCoder {
    /** Positions are coded decision by decision up to this number of candidate cells, by gaps above. */
    static final int MAX_CELLS = 1 << 22;

    /** Ways to code positions: 0 flat, 1 to 6 mixed from contexts, 7 gaps. */
    static final int GAPS = 7;
    static final int MIXES = 6;
    /** Added to a way: say first which rows, which channels hold anything at all. */
    static final int ROW_FLAGS = 8;
    static final int CHANNEL_FLAGS = 16;

    /**
     * How a tensor is seen: {@code rows} outputs, {@code channels} inputs, {@code taps} positions per input in rows of
     * {@code width}.
     */
    record View(int rows, int channels, int taps, int width) {
        int perRow() {
            return channels * taps;
        }
    }

    private final BitCoder coder;
    private final View view;
    private final long[] shape;
    private final Part valuePart;
    private final Part positionPart;
    private final Budget budget;

    /** Bounds what a reader may be made to do. */
    interface Budget {
        /** Claims memory for {@code nonzeros} elements; throws {@link FormatException} if the file is too short. */
        void nonzeros(int nonzeros);

        /** Claims time for {@code cells} decisions. */
        void cells(long cells);
    }

    TensorCoder(BitCoder coder, View view, long[] shape, boolean bias, Budget budget) {
        this.coder = coder;
        this.view = view;
        this.shape = shape;
        this.positionPart = bias ? Part.BIASES : Part.POSITIONS;
        this.valuePart = bias ? Part.BIASES : Part.CODES;
        this.budget = budget;
    }

    private boolean isBias() {
        return positionPart == Part.BIASES;
    }

    /**
     * Codes a tensor.
     *
     * @param needed rows whose output matters; the others hold zeros only, or a flag says that they do not
     * @param mode how to code positions, when writing
     */
    CompressedTensor code(CompressedTensor tensor, boolean[] needed, int mode) {
        coder.part(positionPart);
        boolean[] rows = usefulRows(tensor, needed);
        int rowCount = countTrue(rows);
        long rowCells = (long) rowCount * view.perRow();
        int nonzeros = coder.number(tensor == null ? 0 : tensor.nonzeros(), isBias() ? 3 : 7);
        if (nonzeros > rowCells) {
            throw new FormatException("a tensor of shape " + Arrays.toString(shape) + " declares " + nonzeros
                    + " values in " + rowCells + " places: the file is damaged");
        }
        budget.nonzeros(nonzeros);
        if (nonzeros == 0) {
            return new CompressedTensor(shape, 0, new int[0], null, null, new float[0]);
        }
        int[] positions = tensor == null ? new int[nonzeros] : positions(tensor);
        boolean[] channels = new boolean[view.channels()];
        Arrays.fill(channels, true);
        if (nonzeros < rowCells && !isBias()) {
            if (coder.flag((mode & ROW_FLAGS) != 0)) {
                rows = used(rows, positions, true, tensor != null);
            }
            if (coder.flag((mode & CHANNEL_FLAGS) != 0)) {
                channels = used(channels, positions, false, tensor != null);
            }
        }
        int[] rowList = indices(rows);
        int[] channelList = indices(channels);
        long cells = (long) rowList.length * channelList.length * view.taps();
        if (nonzeros > cells) {
            throw new FormatException("a tensor of shape " + Arrays.toString(shape) + " declares " + nonzeros
                    + " values in " + cells + " places: the file is damaged");
        }
        int chosen = mode & 7;
        if (nonzeros < cells && !isBias()) {
            chosen = coder.bits(mode & 7, 3);
        } else if (isBias()) {
            chosen = 0;
        }
        if (chosen != GAPS && nonzeros < cells) {
            budget.cells(cells);
        }
        if (chosen != GAPS && cells > Integer.MAX_VALUE - 8) {
            throw new FormatException("a tensor of " + cells + " cells must be coded by gaps: the file is damaged");
        }
        Values values = new Values(tensor, nonzeros);
        values.codeHead();
        coder.part(positionPart);
        if (nonzeros == cells) {
            everyCell(rowList, channelList, positions, values);
        } else if (chosen == GAPS) {
            gaps(rowList, channelList, positions, values, cells);
        } else {
            mixed(rowList, channelList, positions, values, (int) cells, chosen);
        }
        return tensor != null ? tensor : values.tensor(positions);
    }

    private boolean[] usefulRows(CompressedTensor tensor, boolean[] needed) {
        boolean[] rows = needed.clone();
        if (countTrue(rows) == rows.length) {
            return rows;
        }
        boolean outside = false;
        if (tensor != null) {
            for (int i = 0; i < tensor.nonzeros() && !outside; i++) {
                outside = !rows[tensor.position(i) / view.perRow()];
            }
        }
        if (coder.flag(outside)) {
            Arrays.fill(rows, true);
        }
        return rows;
    }

    private static int[] positions(CompressedTensor tensor) {
        int[] positions = new int[tensor.nonzeros()];
        for (int i = 0; i < positions.length; i++) {
            positions[i] = tensor.position(i);
        }
        return positions;
    }

    private int index(int position, boolean ofRow) {
        return ofRow ? position / view.perRow() : position % view.perRow() / view.taps();
    }

    /** Codes which of the candidates hold anything. */
    private boolean[] used(boolean[] candidates, int[] positions, boolean ofRow, boolean known) {
        boolean[] seen = new boolean[candidates.length];
        if (known) {
            for (int position : positions) {
                seen[index(position, ofRow)] = true;
            }
        }
        Frequencies frequencies = new Frequencies(1);
        for (int i = 0; i < seen.length; i++) {
            if (candidates[i]) {
                seen[i] = frequencies.code(coder, 0, seen[i] ? 1 : 0) != 0;
            }
        }
        return seen;
    }

    private static int countTrue(boolean[] flags) {
        int count = 0;
        for (boolean flag : flags) {
            count += flag ? 1 : 0;
        }
        return count;
    }

    private static int[] indices(boolean[] flags) {
        int[] indices = new int[countTrue(flags)];
        int at = 0;
        for (int i = 0; i < flags.length; i++) {
            if (flags[i]) {
                indices[at++] = i;
            }
        }
        return indices;
    }

    private void everyCell(int[] rows, int[] channels, int[] positions, Values values) {
        int at = 0;
        for (int row : rows) {
            for (int channel : channels) {
                for (int tap = 0; tap < view.taps(); tap++) {
                    positions[at] = (row * view.channels() + channel) * view.taps() + tap;
                    values.code(at, row, channel, tap);
                    at++;
                }
            }
        }
    }

    /** The number of empty cells before each element: its magnitude by a tree, the next bit adaptively, the rest raw. */
    private void gaps(int[] rows, int[] channels, int[] positions, Values values, long cells) {
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
        long next = 0;
        long perRow = (long) channels.length * view.taps();
        for (int i = 0; i < positions.length; i++) {
            int gap = 0;
            if (!coder.reads()) {
                int position = positions[i];
                long cell = rowOf[index(position, true)] * perRow
                        + (long) channelOf[index(position, false)] * view.taps() + position % view.taps();
                gap = (int) (cell - next + 1);
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
                throw new FormatException("an element lies behind the end of its tensor: the file is damaged");
            }
            int row = rows[(int) (cell / perRow)];
            int channel = channels[(int) (cell % perRow / view.taps())];
            int tap = (int) (cell % view.taps());
            positions[i] = (row * view.channels() + channel) * view.taps() + tap;
            values.code(i, row, channel, tap);
            coder.part(positionPart);
            next = cell + 1;
        }
    }

    /**
     * One decision per cell. Without contexts a cell is taken with probability (elements left) / (cells left), which
     * costs log2 C(n, k) in all. Contexts move the logit of that: each has seen some cells and elements of its own, and
     * the weights by which the contexts are heard are learnt by gradient steps on the coding cost.
     */
    private void mixed(int[] rows, int[] channels, int[] positions, Values values, int cells, int mode) {
        int taps = view.taps();
        Mixer mixer = new Mixer(mode, (float) positions.length / cells, new int[]{1, channels.length,
            channels.length * taps, 1, taps, 16});
        boolean[] kernel = new boolean[taps];
        int left = cells;
        int at = 0;
        for (int rowAt = 0; rowAt < rows.length && at < positions.length; rowAt++) {
            mixer.reset(0);
            for (int channelAt = 0; channelAt < channels.length && at < positions.length; channelAt++) {
                mixer.reset(3);
                int base = (rows[rowAt] * view.channels() + channels[channelAt]) * taps;
                for (int tap = 0; tap < taps; tap++, left--) {
                    int remaining = positions.length - at;
                    if (remaining == 0) {
                        return;
                    }
                    int bit;
                    if (remaining == left) {
                        bit = 1;
                    } else {
                        int known = !coder.reads() && positions[at] == base + tap ? 1 : 0;
                        if (mode == 0) {
                            bit = coder.bit(known, probability((float) remaining / left));
                        } else {
                            mixer.select(1, channelAt);
                            mixer.select(2, channelAt * taps + tap);
                            mixer.select(4, tap);
                            mixer.select(5, neighbours(kernel, tap));
                            bit = mixer.code(coder, (float) remaining / left, known);
                        }
                    }
                    kernel[tap] = bit != 0;
                    if (bit != 0) {
                        positions[at] = base + tap;
                        values.code(at, rows[rowAt], channels[channelAt], tap);
                        coder.part(positionPart);
                        at++;
                    }
                }
            }
        }
    }

    static int probability(float p) {
        return Math.clamp((int) (p * BitCoder.ONE + 0.5f), 1, BitCoder.ONE - 1);
    }

    /** Which of the cells left, above left, above, above right are taken, 4 bits. */
    private int neighbours(boolean[] kernel, int tap) {
        int width = view.width();
        int x = tap % width;
        int result = 0;
        if (x > 0 && kernel[tap - 1]) {
            result |= 1;
        }
        if (tap >= width) {
            if (kernel[tap - width]) {
                result |= 2;
            }
            if (x > 0 && kernel[tap - width - 1]) {
                result |= 4;
            }
            if (x < width - 1 && kernel[tap - width + 1]) {
                result |= 8;
            }
        }
        return result;
    }

    /** Logistic mixing of context estimates around a base rate. */
    static final class Mixer {
        private static final int LIMIT = 1 << 12;
        private static final float[][] START = {{}, {0.5f, 0.5f, 0.3f, 0.3f, 0.3f, 0.3f},
            {0.8f, 0.8f, 0.2f, 0.2f, 0.2f, 0.2f}, {0.2f, 0.2f, 0.2f, 0.2f, 0.2f, 0.2f},
            {0.6f, 0.3f, 0.6f, 0.4f, 0.3f, 0.3f}, {0.2f, 0.2f, 0.8f, 0.2f, 0.2f, 0.2f},
            {0.4f, 0.4f, 0.4f, 0.8f, 0.4f, 0.6f}};
        private static final float RATE = 0.02f;
        private static final float PRIOR = 1.2f;

        private final short[][] seen;
        private final short[][] ones;
        private final int[] selected;
        private final float[] inputs;
        private final float[] weights;
        private final float typical;
        private final float typicalLogit;
        private final float priorOnes;
        private final float priorSeen;

        Mixer(int mode, float typical, int[] sizes) {
            this.seen = new short[sizes.length][];
            this.ones = new short[sizes.length][];
            for (int i = 0; i < sizes.length; i++) {
                seen[i] = new short[sizes[i]];
                ones[i] = new short[sizes[i]];
            }
            this.selected = new int[sizes.length];
            this.inputs = new float[sizes.length];
            this.weights = START[mode].clone();
            this.typical = typical;
            this.typicalLogit = Logistic.stretch(typical);
            // A context starts as if it had seen PRIOR elements at the tensor's own density.
            this.priorOnes = PRIOR;
            this.priorSeen = PRIOR / this.typical;
        }

        void reset(int context) {
            seen[context][0] = 0;
            ones[context][0] = 0;
        }

        void select(int context, int value) {
            selected[context] = value;
        }

        int code(BitCoder coder, float base, int known) {
            float logit = Logistic.stretch(base);
            for (int i = 0; i < inputs.length; i++) {
                int at = selected[i];
                float estimate = (ones[i][at] + priorOnes) / (seen[i][at] + priorSeen);
                inputs[i] = Logistic.stretch(estimate) - typicalLogit;
                logit += weights[i] * inputs[i];
            }
            float p = Logistic.squash(logit);
            int bit = coder.bit(known, probability(p));
            float step = (bit - p) * RATE;
            for (int i = 0; i < inputs.length; i++) {
                weights[i] += step * inputs[i];
                int at = selected[i];
                ones[i][at] += (short) bit;
                if (++seen[i][at] >= LIMIT) {
                    seen[i][at] >>= 1;
                    ones[i][at] >>= 1;
                }
            }
            return bit;
        }
    }

    /** The values of a tensor: a head (codebook or the form of the floats), then one value per element. */
    private final class Values {
        private final CompressedTensor source;
        private final int count;
        private float[] codebook;
        private byte[] codes;
        private float[] raw;
        private FloatCoder floats;
        private int width;
        private Frequencies order0;

        Values(CompressedTensor source, int count) {
            this.source = source;
            this.count = count;
        }

        void codeHead() {
            coder.part(isBias() ? Part.BIASES : Part.CODEBOOK);
            if (coder.flag(source != null && source.isCoded())) {
                codeCodebook();
                codes = source == null ? new byte[count] : null;
                width = codebook.length < 2 ? 0 : 32 - Integer.numberOfLeadingZeros(codebook.length - 1);
                order0 = new Frequencies(1 << width);
            } else {
                raw = source == null ? new float[count] : null;
                floats = new FloatCoder(coder);
                floats.codeHead(source == null ? null : rawValues());
            }
        }

        private float[] rawValues() {
            float[] values = new float[count];
            for (int i = 0; i < count; i++) {
                values[i] = source.value(i);
            }
            return values;
        }

        private void codeCodebook() {
            float[] known = source == null ? null : source.codebook();
            int size = coder.number(known == null ? 0 : known.length - 1, 2) + 1;
            if (size > CompressedTensor.MAX_CODEBOOK || size > count) {
                throw new FormatException("a codebook of " + size + " values for " + count
                        + " elements: the file is damaged");
            }
            UniformLevels levels = known == null ? null : UniformLevels.of(known);
            codebook = new float[size];
            FloatCoder form = new FloatCoder(coder);
            if (size > 1 && coder.flag(levels != null)) {
                float[] step = levels == null ? null : new float[]{levels.step()};
                form.codeHead(step);
                float q = form.code(step == null ? 0 : step[0]);
                int previous = 0;
                for (int i = 0; i < size; i++) {
                    int level = levels == null ? 0 : levels.levels()[i];
                    // Levels without zero are numbered without a hole, so a full set costs one bit a level.
                    int packed = level > 0 ? level - 1 : level;
                    int coded = i == 0
                            ? coder.signedNumber(packed, 2)
                            : previous + 1 + coder.number(packed - previous - 1, 0);
                    if (Math.abs(coded) > UniformLevels.MAX_LEVEL) {
                        throw new FormatException("a level of " + coded + " in a codebook: the file is damaged");
                    }
                    previous = coded;
                    codebook[i] = q * (coded >= 0 ? coded + 1 : coded);
                }
            } else {
                form.codeHead(known);
                for (int i = 0; i < size; i++) {
                    codebook[i] = form.code(known == null ? 0 : known[i]);
                }
            }
            for (float value : codebook) {
                if (!Float.isFinite(value) || value == 0) {
                    throw new FormatException("a codebook holds " + value + ": the file is damaged");
                }
            }
        }

        void code(int i, int row, int channel, int tap) {
            coder.part(valuePart);
            if (codebook == null) {
                float value = floats.code(source == null ? 0 : source.value(i));
                if (source == null) {
                    raw[i] = value;
                }
                return;
            }
            if (width == 0) {
                return;
            }
            int code = order0.tree(coder, source == null ? 0 : source.code(i), width);
            if (code >= codebook.length) {
                throw new FormatException("code " + code + " in a codebook of " + codebook.length
                        + " values: the file is damaged");
            }
            if (source == null) {
                codes[i] = (byte) code;
            }
        }

        CompressedTensor tensor(int[] positions) {
            return new CompressedTensor(shape, count, positions, codes, codebook, raw);
        }
    }
}
