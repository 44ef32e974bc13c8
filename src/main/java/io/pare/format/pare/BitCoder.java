package io.pare.format.pare;

import io.pare.file.FormatException;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;

/**
 * Codes one binary decision after another with given probabilities.
 *
 * <p>The description of a file is written once, in terms of these calls, and runs in three ways: {@link Writer} turns
 * decisions into bytes, {@link Reader} turns bytes into decisions and ignores the arguments that it gets, {@link Meter}
 * counts bits. So a reader cannot disagree with a writer. The coder is the carryless binary arithmetic coder of lpaq
 * (M. Mahoney) with 32-bit bounds and 16-bit probabilities.
 */
abstract class BitCoder {
    /** Probabilities are in units of 1 / ONE. */
    static final int ONE = 1 << 16;

    /** Parts of a file, for the account of its bytes. */
    enum Part {
        HEADER, POSITIONS, CODES, CODEBOOK, BIASES
    }

    /** Codes {@code bit}, which is 1 with probability {@code p1 / ONE}, 0 < p1 < ONE. Returns the bit. */
    abstract int bit(int bit, int p1);

    /** Whether this coder makes up its decisions from bytes. */
    boolean reads() {
        return false;
    }

    /** Says to which part of the file the next decisions belong. */
    void part(Part part) {}

    /** Bytes of an array from {@code from} up to {@code to}. */
    record Block(byte[] bytes, int from, int to) {
        int length() {
            return to - from;
        }
    }

    /**
     * Codes so many bytes as they are; they stand behind all decisions, in the order of these calls.
     *
     * @param known null when reading
     */
    abstract Block block(Block known, int length);

    /** Codes the low {@code count} bits of {@code value} as equally likely, the highest first. */
    int bits(int value, int count) {
        int result = 0;
        for (int i = count - 1; i >= 0; i--) {
            result = result << 1 | bit(value >>> i & 1, ONE / 2);
        }
        return result;
    }

    final boolean flag(boolean value) {
        return bit(value ? 1 : 0, ONE / 2) != 0;
    }

    /** Codes a non-negative number by the Exp-Golomb code of order {@code order}: small numbers take few bits. */
    final int number(int value, int order) {
        long shifted = (long) value + (1L << order);
        int width = reads() ? 0 : 63 - Long.numberOfLeadingZeros(shifted);
        int zeros = order;
        while (bit(zeros < width ? 1 : 0, ONE / 2) != 0) {
            zeros++;
            if (zeros > 31) {
                throw new FormatException("a number in the file has more than 31 bits: the file is damaged");
            }
        }
        long result = 1L << zeros | bits((int) shifted, zeros) & 0xffffffffL;
        result -= 1L << order;
        if (result > Integer.MAX_VALUE) {
            throw new FormatException("a number in the file is " + result + ": the file is damaged");
        }
        return (int) result;
    }

    /** {@link #number} for numbers of either sign. */
    final int signedNumber(int value, int order) {
        int folded = number(value << 1 ^ value >> 31, order);
        return folded >>> 1 ^ -(folded & 1);
    }

    /** Frequencies of binary decisions in contexts; a context's estimate is (ones + 1/2) / (all + 1). */
    static final class Frequencies {
        private static final int LIMIT = 4096;
        private final int[] zeros;
        private final int[] ones;

        Frequencies(int contexts) {
            zeros = new int[contexts];
            ones = new int[contexts];
        }

        int code(BitCoder coder, int context, int bit) {
            // Below 2^13 * 2^16: an int, whose division takes half of the time of a long's.
            int n1 = 2 * ones[context] + 1;
            int p1 = n1 * ONE / (n1 + 2 * zeros[context] + 1);
            int result = coder.bit(bit, p1);
            int[] counted = result == 0 ? zeros : ones;
            if (++counted[context] >= LIMIT) {
                zeros[context] >>= 1;
                ones[context] >>= 1;
            }
            return result;
        }

        /** Codes the low {@code width} bits of a symbol, each in the context of those above it: 2^width contexts. */
        int tree(BitCoder coder, int symbol, int width) {
            int node = 1;
            for (int i = width - 1; i >= 0; i--) {
                node = node << 1 | code(coder, node, symbol >>> i & 1);
            }
            return node - (1 << width);
        }
    }

    /** Makes bytes. */
    static final class Writer extends BitCoder {
        private long low;
        private long high = 0xffffffffL;
        private byte[] bytes = new byte[256];
        private int count;
        private final ByteArrayOutputStream blocks = new ByteArrayOutputStream();

        @Override
        int bit(int bit, int p1) {
            long middle = low + ((high - low) * p1 >>> 16);
            if (bit != 0) {
                high = middle;
            } else {
                low = middle + 1;
            }
            while (((low ^ high) & 0xff000000L) == 0) {
                put((int) (high >>> 24));
                low = low << 8 & 0xffffffffL;
                high = high << 8 & 0xffffffffL | 0xff;
            }
            return bit;
        }

        @Override
        Block block(Block known, int length) {
            blocks.write(known.bytes(), known.from(), length);
            return known;
        }

        /** The bytes that stand behind those of the decisions. */
        byte[] blocks() {
            return blocks.toByteArray();
        }

        private void put(int value) {
            if (count == bytes.length) {
                bytes = Arrays.copyOf(bytes, count * 2);
            }
            bytes[count++] = (byte) value;
        }

        /** The shortest bytes that, followed by zeros without end, give back every decision. */
        byte[] finish() {
            for (int length = 0; length <= 4; length++) {
                long mask = 0xffffffffL >>> 8 * length;
                long candidate = low + mask & ~mask;
                if (candidate >= low && candidate <= high) {
                    for (int i = 0; i < length; i++) {
                        put((int) (candidate >>> 24 - 8 * i));
                    }
                    break;
                }
            }
            while (count > 0 && bytes[count - 1] == 0) {
                count--;
            }
            return Arrays.copyOf(bytes, count);
        }
    }

    /** Takes bytes; behind their end it sees zeros. */
    static final class Reader extends BitCoder {
        private final byte[] bytes;
        private final int end;
        private final int blocksEnd;
        private int at;
        private int block;
        private long low;
        private long high = 0xffffffffL;
        private long code;

        /** Decisions from {@code from} up to {@code to}, and no blocks. */
        Reader(byte[] bytes, int from, int to) {
            this(bytes, from, to, to);
        }

        /** Decisions are from {@code from} up to {@code to}, blocks from there up to {@code blocksEnd}. */
        Reader(byte[] bytes, int from, int to, int blocksEnd) {
            this.bytes = bytes;
            this.at = from;
            this.end = to;
            this.block = to;
            this.blocksEnd = blocksEnd;
            for (int i = 0; i < 4; i++) {
                code = code << 8 | next();
            }
        }

        private int next() {
            return at < end ? bytes[at++] & 0xff : 0;
        }

        @Override
        boolean reads() {
            return true;
        }

        @Override
        Block block(Block ignored, int length) {
            if (length > blocksEnd - block) {
                throw new FormatException("a block of " + length + " bytes where the file has " + (blocksEnd - block)
                        + ": the file is damaged");
            }
            block += length;
            return new Block(bytes, block - length, block);
        }

        @Override
        int bit(int ignored, int p1) {
            long middle = low + ((high - low) * p1 >>> 16);
            int bit;
            if (code <= middle) {
                bit = 1;
                high = middle;
            } else {
                bit = 0;
                low = middle + 1;
            }
            while (((low ^ high) & 0xff000000L) == 0) {
                low = low << 8 & 0xffffffffL;
                high = high << 8 & 0xffffffffL | 0xff;
                code = code << 8 & 0xffffffffL | next();
            }
            return bit;
        }
    }

    /** Counts the bits that a perfect coder would write, by part. */
    static final class Meter extends BitCoder {
        private static final double[] COST = new double[ONE + 1];
        private final double[] bits = new double[Part.values().length];
        private int part;

        static {
            for (int p = 1; p <= ONE; p++) {
                COST[p] = -StrictMath.log((double) p / ONE) / StrictMath.log(2);
            }
        }

        @Override
        void part(Part next) {
            part = next.ordinal();
        }

        @Override
        int bit(int bit, int p1) {
            bits[part] += COST[bit != 0 ? p1 : ONE - p1];
            return bit;
        }

        @Override
        Block block(Block known, int length) {
            bits[part] += (double) Byte.SIZE * length;
            return known;
        }

        /** Equally likely bits cost 1 each. */
        @Override
        int bits(int value, int count) {
            bits[part] += count;
            return count == Integer.SIZE ? value : value & (1 << count) - 1;
        }

        double bits(Part of) {
            return bits[of.ordinal()];
        }

        double total() {
            double sum = 0;
            for (double value : bits) {
                sum += value;
            }
            return sum;
        }
    }
}
