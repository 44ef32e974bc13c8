package io.pare.format.pare;

import io.pare.file.FormatException;
import io.pare.format.pare.BitCoder.Frequencies;
import io.pare.format.pare.BitCoder.Part;
import io.pare.format.pare.TensorCoder.Budget;
import io.pare.format.pare.TensorCoder.View;
import io.pare.mem.FloatTensor;
import io.pare.net.CompressedTensor;
import io.pare.net.GroupScales;
import java.util.Arrays;

/** Codes the values of a tensor whose positions are known: a codebook or the form of floats, then one after another. */
final class ValueCoder {
    /** How values are written. */
    enum Kind {
        /** As indices into a table. */
        CODEBOOK,
        /** As floats. */
        FLOATS,
        /** As whole multiples of one step. */
        MULTIPLES,
        /** As indices into a table, times a scale for each group of elements. */
        SCALED
    }

    /** Widest codes that are coded in contexts. */
    static final int MAX_MIXED_WIDTH = 4;
    /** Bits of the magnitude of a level. */
    private static final int LEVEL_WIDTH = 4;

    /** Contexts of a code: none, its row, channel, kernel, row and tap, and the codes left and above. */
    private static final float[] PRIORS = {1, 1, 2, 1, 0.7f, 0.3f};
    private static final int[] USUAL_KERNELS = {1, 0, 3, 4, 2, 5};
    private static final int[] USUAL_SINGLE = {7, 0, 0, 0, 0, 0};

    private final BitCoder coder;
    private final View view;
    private final CompressedTensor source;
    private final int count;
    private final Budget budget;
    private float[] codebook;

    /** @param source null when reading */
    ValueCoder(BitCoder coder, View view, CompressedTensor source, int count, Budget budget) {
        this.coder = coder;
        this.view = view;
        this.source = source;
        this.count = count;
        this.budget = budget;
    }

    static int[] usualLevels(View view) {
        return view.taps() > 1 ? USUAL_KERNELS : USUAL_SINGLE;
    }

    /** Whether so many codes may be coded in contexts: there must be more of them than values of a context. */
    static boolean mixes(View view, int count, int width) {
        return width > 0 && width <= MAX_MIXED_WIDTH && (long) view.channels() + view.taps() << width <= count;
    }

    /**
     * Codes all values; {@code positions} are ascending.
     *
     * @param kind one that is {@link #possible}, when writing
     * @param levels of contexts, or null for none, when writing
     */
    CompressedTensor code(long[] shape, int[] positions, Kind kind, int[] levels, Part head, Part values) {
        coder.part(head);
        int number = coder.number(kind == null ? 0 : kind.ordinal(), 0);
        if (number >= Kind.values().length) {
            throw new FormatException("values of kind " + number + ": the file is damaged");
        }
        if (number == Kind.SCALED.ordinal()) {
            codeCodebook();
            GroupScales scales = scales(shape, positions);
            coder.part(values);
            byte[] codes = codes(positions, levels);
            return source != null ? source : new CompressedTensor(shape, positions, codes, codebook, scales);
        }
        if (number == Kind.CODEBOOK.ordinal()) {
            codeCodebook();
            coder.part(values);
            byte[] codes = codes(positions, levels);
            return source != null ? source : new CompressedTensor(shape, count, positions, codes, codebook, null);
        }
        float[] raw = values(source, count);
        if (number == Kind.MULTIPLES.ordinal()) {
            multiples(raw, values);
            return source != null ? source : CompressedTensor.of(shape, positions, raw);
        }
        FloatCoder floats = new FloatCoder(coder);
        floats.codeHead(source == null ? null : raw);
        coder.part(values);
        for (int i = 0; i < count; i++) {
            raw[i] = floats.code(raw[i]);
        }
        return source != null ? source : new CompressedTensor(shape, count, positions, null, null, raw);
    }

    /** Whether a tensor can be written so. */
    static boolean possible(CompressedTensor tensor, Kind kind) {
        return switch (kind) {
            case CODEBOOK -> tensor.isCoded();
            case FLOATS -> !tensor.isCoded() && !tensor.isScaled();
            case MULTIPLES -> tensor.nonzeros() > 0 && !tensor.isScaled() && levels(tensor) != null;
            case SCALED -> tensor.isScaled();
        };
    }

    /** The step and levels of a tensor's distinct values, or null if they have none. */
    private static UniformLevels levels(CompressedTensor tensor) {
        if (tensor.isCoded()) {
            return UniformLevels.of(tensor.codebook());
        }
        float[] distinct = CompressedTensor.distinct(values(tensor, tensor.nonzeros()));
        return distinct.length > CompressedTensor.MAX_CODEBOOK ? null : UniformLevels.of(distinct);
    }

    private static float[] values(CompressedTensor tensor, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count && tensor != null; i++) {
            values[i] = tensor.value(i);
        }
        return values;
    }

    /** A step, then each value's sign, and its level by magnitude and the bits below, of which the first adaptively. */
    private void multiples(float[] raw, Part values) {
        UniformLevels levels = source == null ? null : levels(source);
        float[] step = levels == null ? null : new float[]{levels.step()};
        FloatCoder form = new FloatCoder(coder);
        form.codeHead(step);
        float q = form.code(step == null ? 0 : step[0]);
        coder.part(values);
        Frequencies signs = new Frequencies(1);
        Frequencies magnitudes = new Frequencies(1 << LEVEL_WIDTH);
        Frequencies seconds = new Frequencies(1 << LEVEL_WIDTH);
        for (int i = 0; i < raw.length; i++) {
            int level = Math.round(Math.abs(raw[i] / q));
            int negative = signs.code(coder, 0, raw[i] < 0 ? 1 : 0);
            int width = magnitudes.tree(coder, 31 - Integer.numberOfLeadingZeros(level | 1), LEVEL_WIDTH);
            int coded = 1;
            if (width > 0) {
                coded = 2 | seconds.code(coder, width, level >>> width - 1 & 1);
                coded = coded << width - 1 | coder.bits(level, width - 1);
            }
            raw[i] = q * (negative != 0 ? -coded : coded);
            if (coded > UniformLevels.MAX_LEVEL || raw[i] == 0 || !Float.isFinite(raw[i])) {
                throw new FormatException("a value of " + raw[i] + " in the file: the file is damaged");
            }
        }
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
            codeLevels(levels, form);
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

    /** The size of groups, then a scale for each that holds a value; those of the others are 1. */
    private GroupScales scales(long[] shape, int[] positions) {
        GroupScales known = source == null ? null : source.scales();
        int size = coder.number(known == null ? 0 : known.size() - 1, 4) + 1;
        int groups = Math.toIntExact((FloatTensor.count(shape) + size - 1L) / size);
        budget.keep((long) groups * Float.BYTES);
        float[] scales = new float[groups];
        Arrays.fill(scales, 1);
        int[] used = new int[Math.min(groups, count)];
        int found = 0;
        for (int position : positions) {
            if (found == 0 || used[found - 1] != position / size) {
                used[found++] = position / size;
            }
        }
        float[] coded = new float[known == null ? 0 : found];
        for (int i = 0; i < coded.length; i++) {
            coded[i] = known.scale(used[i]);
        }
        FloatCoder form = new FloatCoder(coder);
        form.codeHead(known == null ? null : coded);
        for (int i = 0; i < found; i++) {
            scales[used[i]] = form.code(known == null ? 0 : coded[i]);
        }
        try {
            return new GroupScales(size, scales);
        } catch (IllegalArgumentException e) {
            throw new FormatException(e.getMessage() + ": the file is damaged", e);
        }
    }

    private void codeLevels(UniformLevels levels, FloatCoder form) {
        float[] step = levels == null ? null : new float[]{levels.step()};
        form.codeHead(step);
        float q = form.code(step == null ? 0 : step[0]);
        int previous = 0;
        for (int i = 0; i < codebook.length; i++) {
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
    }

    /** Codes the indices into the codebook alone; returns them. */
    private byte[] codes(int[] positions, int[] levels) {
        int width = codebook.length < 2 ? 0 : 32 - Integer.numberOfLeadingZeros(codebook.length - 1);
        byte[] codes = new byte[count];
        if (width == 0) {
            return codes;
        }
        if (mixes(view, count, width) && coder.flag(levels != null)) {
            mixed(positions, codes, width, Mixer.codeLevels(coder, levels, usualLevels(view)));
            return codes;
        }
        Frequencies frequencies = new Frequencies(1 << width);
        for (int i = 0; i < count; i++) {
            codes[i] = checked(frequencies.tree(coder, source == null ? 0 : source.code(i), width));
        }
        return codes;
    }

    private byte checked(int code) {
        if (code >= codebook.length) {
            throw new FormatException("code " + code + " in a codebook of " + codebook.length
                    + " values: the file is damaged");
        }
        return (byte) code;
    }

    /** Each bit of a code in contexts, the bits above it being part of each. */
    private void mixed(int[] positions, byte[] codes, int width, int[] levels) {
        int taps = view.taps();
        int nodes = 1 << width;
        int around = nodes + 1;
        Mixer mixer = new Mixer(0.5f, new int[]{nodes, nodes, view.channels() * nodes, nodes, taps * nodes,
            around * around * nodes}, PRIORS, levels);
        // One more than the code of each cell of the kernel, 0 where there is none.
        byte[] kernel = new byte[taps];
        int row = -1;
        int kernelAt = -1;
        int[] context = new int[6];
        for (int i = 0; i < count; i++) {
            int tap = positions[i] % taps;
            if (positions[i] / view.perRow() != row) {
                row = positions[i] / view.perRow();
                forget(mixer, 1, nodes);
                forget(mixer, 4, taps * nodes);
            }
            if (positions[i] / taps != kernelAt) {
                kernelAt = positions[i] / taps;
                forget(mixer, 3, nodes);
                Arrays.fill(kernel, (byte) 0);
            }
            int left = tap % view.width() > 0 ? kernel[tap - 1] : 0;
            int above = tap >= view.width() ? kernel[tap - view.width()] : 0;
            context[2] = kernelAt % view.channels() * nodes;
            context[4] = tap * nodes;
            context[5] = (left * around + above) * nodes;
            int known = source == null ? 0 : source.code(i);
            int node = 1;
            for (int bit = width - 1; bit >= 0; bit--) {
                for (int c = 0; c < context.length; c++) {
                    mixer.select(c, context[c] + node);
                }
                node = node << 1 | mixer.code(coder, 0, known >>> bit & 1);
            }
            codes[i] = checked(node - nodes);
            kernel[tap] = (byte) (codes[i] + 1);
        }
    }

    private static void forget(Mixer mixer, int context, int values) {
        for (int i = 0; i < values; i++) {
            mixer.forget(context, i);
        }
    }
}
