package io.pare.format.pare;

import io.pare.file.FormatException;
import io.pare.format.pare.BitCoder.Frequencies;
import io.pare.format.pare.BitCoder.Part;
import io.pare.format.pare.TensorCoder.Budget;
import io.pare.mem.FloatTensor;
import io.pare.net.CompressedTensor;
import io.pare.net.GroupScales;
import java.util.Arrays;

/**
 * Codes a tensor whose values are whole levels times the scales of their groups, all cells in order, zeros included.
 *
 * <p>How large a level will be is foreseen from those before it in its row and in its column, as running means of magnitudes;
 * a row begins with the mean of rows of about its scale. All of it is in whole numbers, so writer and reader agree.
 */
final class LevelCoder {
    /** Largest level, on either side: with zero these are a byte. */
    static final int MAX_LEVEL = 127;
    /** Decisions that say one by one whether a level is larger; what is left is a number. */
    private static final int STEPS = 14;
    private static final int REST_ORDER = 2;
    /** Means are in units of 1 / 256. */
    private static final int UNIT = 8;
    private static final int ROW_SHIFT = 5;
    private static final int COLUMN_SHIFT = 4;
    private static final int SCALE_SHIFT = 8;
    private static final int CONTEXTS = 32;
    /** Fewer values of so many cells are better coded by their positions. */
    private static final int SPARSE = 64;
    /** Scales that differ in these bits of a float are of different kinds: exponent and one bit of mantissa. */
    private static final int KIND_SHIFT = 22;

    private final BitCoder coder;
    private final Budget budget;
    private final boolean tables;

    /** @param tables whether levels are coded by {@link LevelTables} */
    LevelCoder(BitCoder coder, Budget budget, boolean tables) {
        this.coder = coder;
        this.budget = budget;
        this.tables = tables;
    }

    /** Whether a tensor can be written so, and should. */
    static boolean suits(CompressedTensor tensor) {
        if (!tensor.isScaled() || (long) tensor.nonzeros() * SPARSE < tensor.count()) {
            return false;
        }
        for (float word : tensor.codebook()) {
            if (word != Math.rint(word) || Math.abs(word) > MAX_LEVEL) {
                return false;
            }
        }
        return true;
    }

    /** @param tensor one that {@link #suits}, or null when reading */
    CompressedTensor code(CompressedTensor tensor, long[] shape) {
        coder.part(Part.CODEBOOK);
        int count = Math.toIntExact(FloatTensor.count(shape));
        int columns = Math.toIntExact(count / shape[0]);
        int size = coder.number(tensor == null ? 0 : tensor.scales().size() - 1, 4) + 1;
        int groups = (int) ((count + size - 1L) / size);
        budget.cells(count);
        budget.scratch((long) groups * Float.BYTES + count);
        float[] scales = new float[groups];
        for (int i = 0; i < groups && tensor != null; i++) {
            scales[i] = tensor.scales().scale(i);
        }
        boolean same = coder.flag(tensor != null && same(scales));
        FloatCoder form = new FloatCoder(coder);
        form.codeHead(tensor == null ? null : scales);
        for (int i = 0; i < groups; i++) {
            scales[i] = same && i > 0 ? scales[0] : form.code(scales[i]);
            if (!(scales[i] > 0)) {
                throw new FormatException("a scale of " + scales[i] + " in the file: the file is damaged");
            }
        }
        coder.part(Part.CODES);
        byte[] levels = tensor == null ? new byte[count] : levels(tensor);
        if (tables) {
            budget.scratch((long) groups * Float.BYTES + count + LevelTables.SCRATCH_BYTES);
            new LevelTables(coder, count / columns, columns).code(levels);
        } else {
            code(levels, columns, size, scales);
        }
        return tensor != null ? tensor : read(levels, shape, new GroupScales(size, scales));
    }

    private static boolean same(float[] scales) {
        for (float scale : scales) {
            if (scale != scales[0]) {
                return false;
            }
        }
        return true;
    }

    private static byte[] levels(CompressedTensor tensor) {
        byte[] levels = new byte[tensor.count()];
        float[] words = tensor.codebook();
        for (int i = 0; i < tensor.nonzeros(); i++) {
            levels[tensor.position(i)] = (byte) words[tensor.code(i)];
        }
        return levels;
    }

    /** Codes levels in place. */
    private void code(byte[] levels, int columns, int size, float[] scales) {
        Frequencies zeros = new Frequencies(CONTEXTS);
        Frequencies larger = new Frequencies(CONTEXTS * STEPS);
        int[] ofColumn = new int[columns];
        int[] ofScale = new int[1 << Float.SIZE - 1 - KIND_SHIFT];
        Arrays.fill(ofColumn, 1 << UNIT);
        Arrays.fill(ofScale, 1 << UNIT);
        int row = 0;
        int kind = 0;
        int group = -1;
        for (int at = 0, column = 0; at < levels.length; at++, column++) {
            if (column == columns) {
                column = 0;
            }
            if (column == 0 || at % size == 0) {
                group = at / size;
                int now = Float.floatToRawIntBits(scales[group]) >>> KIND_SHIFT;
                if (column == 0 || now != kind) {
                    kind = now;
                    row = ofScale[kind];
                }
            }
            int context = context(row + ofColumn[column]);
            int level = level(levels[at], zeros, larger, context);
            levels[at] = (byte) level;
            int magnitude = Math.abs(level) << UNIT;
            row += magnitude - row >> ROW_SHIFT;
            ofColumn[column] += magnitude - ofColumn[column] >> COLUMN_SHIFT;
            ofScale[kind] += magnitude - ofScale[kind] >> SCALE_SHIFT;
        }
    }

    /** Three intervals to an octave or so of a sum of two means. */
    private static int context(int sum) {
        int octave = 31 - Integer.numberOfLeadingZeros(sum | 16);
        return Math.min(CONTEXTS - 1, (octave - 4) * 4 + (sum >>> octave - 2 & 3));
    }

    private int level(int known, Frequencies zeros, Frequencies larger, int context) {
        if (zeros.code(coder, context, known == 0 ? 1 : 0) != 0) {
            return 0;
        }
        boolean negative = coder.flag(known < 0);
        int size = Math.abs(known);
        int found = 1;
        while (found <= STEPS && larger.code(coder, context * STEPS + found - 1, size > found ? 1 : 0) != 0) {
            found++;
        }
        if (found > STEPS) {
            found += coder.number(size - found, REST_ORDER);
        }
        if (found > MAX_LEVEL) {
            throw new FormatException("a level of " + found + " in the file: the file is damaged");
        }
        return negative ? -found : found;
    }

    private CompressedTensor read(byte[] levels, long[] shape, GroupScales scales) {
        try {
            CompressedTensor tensor = CompressedTensor.ofLevels(shape, levels, scales);
            budget.nonzeros(tensor.nonzeros());
            return tensor;
        } catch (IllegalArgumentException e) {
            throw new FormatException(e.getMessage() + ": the file is damaged", e);
        }
    }
}
