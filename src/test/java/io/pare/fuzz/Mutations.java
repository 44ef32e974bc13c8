package io.pare.fuzz;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.LongFunction;
import java.util.function.UnaryOperator;

/**
 * Damaged inputs: valid ones with bits turned over, cut short, spliced into one another, or with extreme numbers where a
 * size may stand. The number that is asked for is the seed of a damaged input and gives the same one each time.
 * Thread-safe.
 */
public final class Mutations implements LongFunction<byte[]> {
    private static final long[] EXTREMES = {0, 1, -1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000,
        0xffffff, 1 << 28, 1 << 30, Integer.MAX_VALUE, Integer.MIN_VALUE, 0xffffffffL, 1L << 32, 1L << 40, 1L << 61,
        Long.MAX_VALUE, Long.MIN_VALUE};
    private static final int MAX_GROWTH = 300;

    private final List<byte[]> seeds;
    private final List<byte[]> words;
    private final int head;
    private final UnaryOperator<byte[]> seal;

    private Mutations(List<byte[]> seeds, List<byte[]> words, int head, UnaryOperator<byte[]> seal) {
        this.seeds = seeds;
        this.words = words;
        this.head = head;
        this.seal = seal;
    }

    /** Changes of these valid inputs, none of which is empty. */
    public static Mutations of(List<byte[]> seeds) {
        return new Mutations(List.copyOf(seeds), List.of(), Integer.MAX_VALUE, UnaryOperator.identity());
    }

    /** Two of three changes hit the first {@code bytes} of an input, where sizes are. */
    public Mutations damagingMostly(int bytes) {
        return new Mutations(seeds, words, bytes, seal);
    }

    /** Also puts these words into inputs, each as UTF-8: keywords of the format, extreme numbers as text. */
    public Mutations withWords(String... more) {
        List<byte[]> all = new ArrayList<>(words);
        for (String word : more) {
            all.add(word.getBytes(StandardCharsets.UTF_8));
        }
        return new Mutations(seeds, all, head, seal);
    }

    /** Puts a checksum right, or whatever else a reader looks at before the rest, after each change. */
    public Mutations sealedBy(UnaryOperator<byte[]> sealing) {
        return new Mutations(seeds, words, head, sealing);
    }

    @Override
    public byte[] apply(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        byte[] bytes = pick(random).clone();
        for (int changes = 1 + random.nextInt(3) * random.nextInt(3); changes > 0; changes--) {
            bytes = change(bytes, random);
        }
        return seal.apply(bytes);
    }

    private byte[] pick(SplittableRandom random) {
        return seeds.get(random.nextInt(seeds.size()));
    }

    private byte[] change(byte[] bytes, SplittableRandom random) {
        return switch (random.nextInt(words.isEmpty() ? 9 : 11)) {
            case 0 -> Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
            case 1 -> Arrays.copyOf(bytes, bytes.length + random.nextInt(MAX_GROWTH));
            case 2 -> splice(bytes, at(bytes, random), 0, part(pick(random), random));
            case 3 -> splice(bytes, at(bytes, random), random.nextInt(MAX_GROWTH), new byte[0]);
            case 4 -> splice(bytes, at(bytes, random), random.nextInt(64), noise(random));
            case 5, 6 -> number(bytes, random);
            case 7, 8 -> flips(bytes, random);
            default -> splice(bytes, at(bytes, random), random.nextInt(12), words.get(random.nextInt(words.size())));
        };
    }

    private int at(byte[] bytes, SplittableRandom random) {
        int reach = random.nextInt(3) == 0 ? bytes.length : Math.min(bytes.length, head);
        return random.nextInt(reach + 1);
    }

    private byte[] flips(byte[] bytes, SplittableRandom random) {
        for (int i = random.nextInt(6); i >= 0 && bytes.length > 0; i--) {
            bytes[Math.min(at(bytes, random), bytes.length - 1)] ^= (byte) (1 << random.nextInt(8));
        }
        return bytes;
    }

    /** Writes an extreme number of 1, 2, 4 or 8 bytes over what is there. */
    private byte[] number(byte[] bytes, SplittableRandom random) {
        int width = 1 << random.nextInt(4);
        ByteBuffer number = ByteBuffer.allocate(Long.BYTES)
                .order(random.nextBoolean() ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN)
                .putLong(0, EXTREMES[random.nextInt(EXTREMES.length)]);
        int from = number.order() == ByteOrder.LITTLE_ENDIAN ? 0 : Long.BYTES - width;
        return splice(bytes, at(bytes, random), width, Arrays.copyOfRange(number.array(), from, from + width));
    }

    private static byte[] part(byte[] bytes, SplittableRandom random) {
        int from = random.nextInt(bytes.length);
        return Arrays.copyOfRange(bytes, from, Math.min(bytes.length, from + 1 + random.nextInt(MAX_GROWTH)));
    }

    private static byte[] noise(SplittableRandom random) {
        byte[] noise = new byte[random.nextInt(64)];
        random.nextBytes(noise);
        return noise;
    }

    /** Bytes {@code at} to {@code at + removed} become {@code added}. */
    private static byte[] splice(byte[] bytes, int at, int removed, byte[] added) {
        int rest = Math.min(bytes.length, at + removed);
        return ByteBuffer.allocate(at + added.length + bytes.length - rest).put(bytes, 0, at).put(added)
                .put(bytes, rest, bytes.length - rest).array();
    }
}
