package io.pare.format.pare;

import io.pare.file.FormatException;
import io.pare.format.pare.BitCoder.Block;
import io.pare.format.pare.BitCoder.Frequencies;
import io.pare.mem.FloatTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Codes the levels of a large matrix by range asymmetric numeral systems (J. Duda, 1311.2540) with tables of frequencies, each
 * level by one look into a table. So they are read some twelve times faster than decision by decision.
 *
 * <p>Rows have classes, and columns have. The table of a level is that of its row's class plus its column's. Rows are cut into
 * streams that do not depend on each other, and in a stream four states take turns, so that a processor works on all of them
 * at once.
 */
final class LevelTables {
    /** Bytes of tables, and of the words of a stream. */
    static final long SCRATCH_BYTES = 4L << 20;
    /** Elements from which on tables are worth their bytes. */
    private static final int LEAST = 1 << 15;
    /** Columns that share what a row's class takes. */
    private static final int LEAST_COLUMNS = 32;
    /** Elements of a stream, or about as many: whole rows. */
    private static final int STREAM = 1 << 17;
    private static final int STATES = 4;
    /** Frequencies sum to 2^12, states begin with 2^16 and take in 16 bits. */
    private static final int SUM_BITS = 12;
    private static final int SUM = 1 << SUM_BITS;
    private static final int WORD = 16;
    private static final int LOWEST = 1 << WORD;

    /** Of the number of bits that a frequency has. */
    private static final int WIDTH_BITS = 4;
    private static final int CLASS_BITS = 6;
    private static final int TABLES = 1 << CLASS_BITS;
    /** Classes of rows that a writer tells apart; columns have the others. */
    private static final int ROW_CLASSES = 40;
    /** Classes are a quarter of an octave apart. */
    private static final double TO_CLASS = 4 / StrictMath.log(2);
    private static final int FIT = 3;
    private static final double SMALLEST_MEAN = 1.0 / 64;
    /** Stands for a level that has no place in its table; a byte of its own says which. */
    private static final byte ESCAPE = Byte.MIN_VALUE;
    private static final int MAX = LevelCoder.MAX_LEVEL;

    private final BitCoder coder;
    private final int rows;
    private final int columns;

    LevelTables(BitCoder coder, int rows, int columns) {
        this.coder = coder;
        this.rows = rows;
        this.columns = columns;
    }

    /** Whether levels of a tensor of such a shape are coded so. */
    static boolean suits(long[] shape) {
        long count = FloatTensor.count(shape);
        return count >= LEAST && count / shape[0] >= LEAST_COLUMNS;
    }

    /** Codes levels in place. */
    void code(byte[] levels) {
        int[] ofRow = new int[rows];
        int[] ofColumn = new int[columns];
        if (!coder.reads()) {
            classify(levels, ofRow, ofColumn);
        }
        int tables = codeClasses(ofRow) + codeClasses(ofColumn) - 1;
        if (tables > TABLES) {
            throw new FormatException(tables + " tables of levels in the file: the file is damaged");
        }
        int[][] frequencies = frequencies(coder.reads() ? null : counts(levels, ofRow, ofColumn, tables), tables);
        int[] slots = new int[tables * SUM];
        for (int table = 0; table < tables; table++) {
            fill(slots, table * SUM, frequencies[table]);
        }
        int each = Math.max(1, STREAM / columns);
        Stream stream = new Stream(slots, frequencies, ofRow, offsets(ofColumn));
        for (int first = 0; first < rows; first += each) {
            stream.code(levels, first, Math.min(rows, first + each));
        }
    }

    private static int[] offsets(int[] classes) {
        return Arrays.stream(classes).map(each -> each * SUM).toArray();
    }

    /** Codes a class for each row or column; returns how many there are. */
    private int codeClasses(int[] classes) {
        Frequencies trees = new Frequencies(TABLES);
        int most = 0;
        for (int i = 0; i < classes.length; i++) {
            classes[i] = trees.tree(coder, classes[i], CLASS_BITS);
            most = Math.max(most, classes[i]);
        }
        return most + 1;
    }

    /**
     * Classes by the logarithms of factors of rows and of columns, whose products come near the magnitudes. All is in doubles
     * and strict, so that every machine finds the same.
     */
    private void classify(byte[] levels, int[] ofRow, int[] ofColumn) {
        double[] row = new double[rows];
        double[] column = new double[columns];
        Arrays.fill(column, 1);
        for (int step = 0; step < FIT; step++) {
            double[] sums = new double[columns];
            for (int i = 0; i < rows; i++) {
                double sum = 0;
                for (int j = 0; j < columns; j++) {
                    sum += Math.abs(levels[i * columns + j]) / column[j];
                }
                row[i] = Math.max(SMALLEST_MEAN, sum / columns);
                for (int j = 0; j < columns; j++) {
                    sums[j] += Math.abs(levels[i * columns + j]) / row[i];
                }
            }
            for (int j = 0; j < columns; j++) {
                column[j] = Math.max(SMALLEST_MEAN, sums[j] / rows);
            }
        }
        classify(row, ofRow, ROW_CLASSES);
        classify(column, ofColumn, TABLES + 1 - ROW_CLASSES);
    }

    /** The highest classes, the lowest of them 0. */
    private static void classify(double[] factors, int[] classes, int most) {
        for (int i = 0; i < factors.length; i++) {
            classes[i] = (int) StrictMath.rint(TO_CLASS * StrictMath.log(factors[i]));
        }
        int high = Arrays.stream(classes).max().orElseThrow();
        int low = Math.max(Arrays.stream(classes).min().orElseThrow(), high - most + 1);
        for (int i = 0; i < classes.length; i++) {
            classes[i] = Math.max(0, classes[i] - low);
        }
    }

    /** How often each table has each magnitude. */
    private int[][] counts(byte[] levels, int[] ofRow, int[] ofColumn, int tables) {
        int[][] counts = new int[tables][MAX + 1];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                counts[ofRow[i] + ofColumn[j]][Math.abs(levels[i * columns + j])]++;
            }
        }
        return counts;
    }

    /**
     * Codes the frequencies of each table: that of 0, which is what the others leave, those of either sign of the magnitudes
     * from 1 on, and last that of an escape.
     */
    private int[][] frequencies(int[][] counts, int tables) {
        Frequencies widths = new Frequencies(1 << 2 * WIDTH_BITS);
        int[][] frequencies = new int[tables][];
        for (int table = 0; table < tables; table++) {
            int[] known = counts == null ? null : frequencies(counts[table]);
            int last = coder.number(known == null ? 0 : known.length - 2, 3);
            if (last > MAX) {
                throw new FormatException("a table with levels of " + last + " in the file: the file is damaged");
            }
            int[] own = new int[last + 2];
            int left = SUM;
            int before = 0;
            for (int m = 1; m < own.length; m++) {
                int width = known == null ? 0 : Integer.SIZE - Integer.numberOfLeadingZeros(known[m]);
                width = width(widths, before, width);
                before = width;
                own[m] = width == 0 ? 0 : 1 << width - 1 | coder.bits(known == null ? 0 : known[m], width - 1);
                left -= m <= last ? 2 * own[m] : own[m];
            }
            if (left < 0) {
                throw new FormatException(
                        "a table of levels of more than " + SUM + " in the file: the file is damaged");
            }
            own[0] = left;
            frequencies[table] = own;
        }
        return frequencies;
    }

    /** The bits of a frequency, foreseen from those of the one before. */
    private int width(Frequencies widths, int before, int known) {
        int node = 1;
        for (int i = WIDTH_BITS - 1; i >= 0; i--) {
            node = node << 1 | widths.code(coder, before << WIDTH_BITS | node, known >>> i & 1);
        }
        return node - (1 << WIDTH_BITS);
    }

    /** Frequencies that come near counts of magnitudes. */
    private static int[] frequencies(int[] counts) {
        long all = 0;
        for (int count : counts) {
            all += count;
        }
        int last = MAX;
        // What is rarer than one in 2^12 escapes.
        while (last > 0 && counts[last] * (long) SUM < Math.max(1, all)) {
            last--;
        }
        int[] frequencies = new int[last + 2];
        int left = SUM;
        long escapes = 0;
        for (int m = 1; m <= MAX; m++) {
            if (m > last) {
                escapes += counts[m];
            } else if (counts[m] > 0) {
                frequencies[m] = (int) Math.max(1, (counts[m] * (long) SUM + all) / (2 * all));
                left -= 2 * frequencies[m];
            }
        }
        if (escapes > 0) {
            frequencies[last + 1] = (int) Math.max(1, (2 * escapes * SUM + all) / (2 * all));
            left -= frequencies[last + 1];
        }
        while (left < (counts[0] > 0 ? 1 : 0)) {
            int largest = 1;
            for (int m = 2; m <= last; m++) {
                largest = frequencies[m] > frequencies[largest] ? m : largest;
            }
            frequencies[largest]--;
            left += 2;
        }
        frequencies[0] = left;
        return frequencies;
    }

    /** Slots of a table: a level in the low byte, its frequency less one in 12 bits, and how far a slot lies in its level. */
    private static void fill(int[] slots, int at, int[] frequencies) {
        int last = frequencies.length - 2;
        int place = fill(slots, at, (byte) 0, frequencies[0]);
        for (int m = 1; m <= last; m++) {
            place = fill(slots, place, (byte) m, frequencies[m]);
            place = fill(slots, place, (byte) -m, frequencies[m]);
        }
        fill(slots, place, ESCAPE, frequencies[last + 1]);
    }

    private static int fill(int[] slots, int at, byte level, int frequency) {
        int entry = level & 0xff | frequency - 1 << Byte.SIZE;
        for (int i = 0; i < frequency; i++) {
            slots[at + i] = entry | i << Byte.SIZE + SUM_BITS;
        }
        return at + frequency;
    }

    /** Rows that are coded by themselves: last states, words of 16 bits, and the levels that escaped. */
    private final class Stream {
        private final int[] slots;
        private final int[][] frequencies;
        private final int[] ofRow;
        /** First slots of the tables that columns have in rows of class 0. */
        private final int[] ofColumn;
        private final int[] states = new int[STATES];
        private char[] words = new char[0];

        Stream(int[] slots, int[][] frequencies, int[] ofRow, int[] ofColumn) {
            this.slots = slots;
            this.frequencies = frequencies;
            this.ofRow = ofRow;
            this.ofColumn = ofColumn;
        }

        void code(byte[] levels, int first, int end) {
            ByteBuffer made = coder.reads() ? null : encode(levels, first, end);
            int escapes = made == null ? 0 : made.getInt();
            int number = made == null ? 0 : (made.remaining() - STATES * Integer.BYTES - escapes) / Character.BYTES;
            escapes = coder.number(escapes, 4);
            number = coder.number(number, 12);
            int cells = (end - first) * columns;
            if (escapes > cells || number > cells) {
                throw new FormatException("a stream of " + number + " words and " + escapes + " levels for " + cells
                        + " elements: the file is damaged");
            }
            int length = STATES * Integer.BYTES + number * Character.BYTES + escapes;
            Block block = coder.block(made == null ? null : new Block(made.array(), made.position(), made.limit()),
                    length);
            if (made == null) {
                decode(block, number, levels, first, end);
            }
        }

        private void decode(Block block, int number, byte[] levels, int first, int end) {
            ByteBuffer from = ByteBuffer.wrap(block.bytes(), block.from(), block.length())
                    .order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < STATES; i++) {
                states[i] = from.getInt();
            }
            // A row takes in so many words at most: what is read behind the last is found out thereafter.
            if (words.length < number + columns + 1) {
                words = new char[Math.max(number, STREAM / 2) + columns + 1];
            }
            from.asCharBuffer().get(words, 0, number);
            int escape = from.position() + number * Character.BYTES;
            boolean escapes = escape < block.to();
            int place = 0;
            for (int row = first; row < end; row++) {
                int at = row * columns;
                place = row(slots, ofRow[row] * SUM, ofColumn, levels, at, words, place, states);
                if (place > number) {
                    throw damaged();
                }
                if (escapes) {
                    escape = escaped(levels, at, at + columns, block, escape);
                }
            }
            for (int state : states) {
                if (state != LOWEST) {
                    throw damaged();
                }
            }
            if (place != number || escape != block.to()) {
                throw damaged();
            }
        }

        /** Puts the levels that escaped in their places; returns where those of the next row begin. */
        private int escaped(byte[] levels, int from, int end, Block block, int escape) {
            int at = escape;
            for (int i = from; i < end; i++) {
                if (levels[i] == ESCAPE) {
                    if (at == block.to()) {
                        throw damaged();
                    }
                    levels[i] = block.bytes()[at++];
                    if (levels[i] == ESCAPE) {
                        throw damaged();
                    }
                }
            }
            return at;
        }

        /** The number of levels that escape, in four bytes, then the stream. */
        private ByteBuffer encode(byte[] levels, int first, int end) {
            int cells = (end - first) * columns;
            char[] taken = new char[cells];
            byte[] escaped = new byte[cells];
            int number = 0;
            int escapes = 0;
            long[] state = new long[STATES];
            Arrays.fill(state, LOWEST);
            for (int i = cells - 1; i >= 0; i--) {
                int column = i % columns;
                int level = levels[first * columns + i];
                int row = ofRow[first + i / columns];
                int table = row + ofColumn[column] / SUM;
                int[] own = frequencies[table];
                int magnitude = Math.abs(level);
                if (magnitude > own.length - 2) {
                    escaped[escapes++] = (byte) level;
                    magnitude = own.length - 1;
                }
                int start = 0;
                for (int m = 0; m < magnitude; m++) {
                    start += m == 0 ? own[m] : 2 * own[m];
                }
                int frequency = own[magnitude];
                if (level < 0 && magnitude < own.length - 1) {
                    start += frequency;
                }
                int lane = column % STATES;
                long x = state[lane];
                if (x >= (long) frequency << 2 * WORD - SUM_BITS) {
                    taken[number++] = (char) x;
                    x >>>= WORD;
                }
                state[lane] = (x / frequency << SUM_BITS) + x % frequency + start;
            }
            ByteBuffer made = ByteBuffer
                    .allocate((1 + STATES) * Integer.BYTES + number * Character.BYTES + escapes)
                    .order(ByteOrder.LITTLE_ENDIAN).putInt(escapes);
            for (long each : state) {
                made.putInt((int) each);
            }
            while (number > 0) {
                made.putChar(taken[--number]);
            }
            while (escapes > 0) {
                made.put(escaped[--escapes]);
            }
            return made.flip();
        }
    }

    private static FormatException damaged() {
        return new FormatException("a stream of levels in the file does not end where it should: the file is damaged");
    }

    /**
     * Reads a row; returns where the words of the next begin. A state is an int without sign; that of a column is the one of
     * its number's last bits. Which states take in a word cannot be foreseen, so that is done without a branch.
     */
    private static int row(int[] slots, int base, int[] ofColumn, byte[] levels, int at, char[] words, int from,
            int[] states) {
        int a = states[0];
        int b = states[1];
        int c = states[2];
        int d = states[3];
        int place = from;
        int whole = ofColumn.length & -STATES;
        for (int j = 0; j < whole; j += STATES) {
            int ofA = slots[base + ofColumn[j] + (a & SUM - 1)];
            int ofB = slots[base + ofColumn[j + 1] + (b & SUM - 1)];
            int ofC = slots[base + ofColumn[j + 2] + (c & SUM - 1)];
            int ofD = slots[base + ofColumn[j + 3] + (d & SUM - 1)];
            levels[at + j] = (byte) ofA;
            levels[at + j + 1] = (byte) ofB;
            levels[at + j + 2] = (byte) ofC;
            levels[at + j + 3] = (byte) ofD;
            a = next(a, ofA);
            b = next(b, ofB);
            c = next(c, ofC);
            d = next(d, ofD);
            int lacks = lacks(a);
            a = a << (lacks & WORD) | words[place] & lacks;
            place -= lacks;
            lacks = lacks(b);
            b = b << (lacks & WORD) | words[place] & lacks;
            place -= lacks;
            lacks = lacks(c);
            c = c << (lacks & WORD) | words[place] & lacks;
            place -= lacks;
            lacks = lacks(d);
            d = d << (lacks & WORD) | words[place] & lacks;
            place -= lacks;
        }
        states[0] = a;
        states[1] = b;
        states[2] = c;
        states[3] = d;
        for (int j = whole; j < ofColumn.length; j++) {
            int x = states[j - whole];
            int slot = slots[base + ofColumn[j] + (x & SUM - 1)];
            levels[at + j] = (byte) slot;
            x = next(x, slot);
            int lacks = lacks(x);
            states[j - whole] = x << (lacks & WORD) | words[place] & lacks;
            place -= lacks;
        }
        return place;
    }

    /** A state without its last level, before it takes in a word. */
    private static int next(int state, int slot) {
        return (state >>> SUM_BITS) * ((slot >>> Byte.SIZE & SUM - 1) + 1) + (slot >>> Byte.SIZE + SUM_BITS);
    }

    /** All bits if a state is below 2^16, else none. */
    private static int lacks(int state) {
        return (state >>> WORD) - 1 >> Integer.SIZE - 1;
    }
}
