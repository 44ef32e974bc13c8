package io.pare.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.InputScale;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WarperTest {
    private static final Warp ALL = new Warp(10, 0.1f, 0.12f, 1.4f);

    private static float[] image(int count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] image = new float[count];
        for (int i = 0; i < count; i++) {
            image[i] = (float) random.nextDouble();
        }
        return image;
    }

    private static float[] warped(Warp warp, int channels, int height, int width, float down, float right, long seed) {
        float[] target = new float[channels * height * width];
        float[] black = new float[channels];
        Arrays.fill(black, -1);
        new Warper(warp, channels, height, width).run(image(target.length, 7), down, right, black,
                new SplitMix64(seed), target);
        return target;
    }

    /** In double precision, pixel by pixel, with the splines by their recursion. */
    private static float[] reference(Warp warp, int channels, int height, int width, float down, float right,
            long seed) {
        SplitMix64 random = new SplitMix64(seed);
        double angle = Math.toRadians(warp.rotate() * even(random));
        double grown = 1 + warp.zoom() * even(random);
        double lean = warp.shear() * even(random);
        double[][] points = new double[2][49];
        for (int p = 0; warp.elastic() > 0 && p < 49; p++) {
            points[0][p] = even(random) * Math.sqrt(3) * 315 / 151 * warp.elastic();
            points[1][p] = even(random) * Math.sqrt(3) * 315 / 151 * warp.elastic();
        }
        float[] image = image(channels * height * width, 7);
        float[] target = new float[image.length];
        for (int c = 0; c < channels; c++) {
            for (int y = 0; y < height; y++) {
                for (int x = 0; x < width; x++) {
                    double v = y - (height - 1) / 2.0 - down;
                    double h = x - (width - 1) / 2.0 - right;
                    double turnedDown = (Math.cos(angle) * v + Math.sin(angle) * h) / grown;
                    double turnedRight = (-Math.sin(angle) * v + Math.cos(angle) * h) / grown;
                    double sourceY = turnedDown + (height - 1) / 2.0 + field(points[0], y, height, x, width);
                    double sourceX = turnedRight + lean * turnedDown + (width - 1) / 2.0
                            + field(points[1], y, height, x, width);
                    target[(c * height + y) * width + x] = (float) bilinear(image, c, height, width, sourceY, sourceX);
                }
            }
        }
        return target;
    }

    private static double even(SplitMix64 random) {
        return 2.0 * random.nextFloat() - 1;
    }

    private static double field(double[] points, int y, int height, int x, int width) {
        double sum = 0;
        double down = height == 1 ? 0 : 4.0 * y / (height - 1);
        double right = width == 1 ? 0 : 4.0 * x / (width - 1);
        for (int p = 0; p < 49; p++) {
            sum += points[p] * spline(3, down - (p / 7 - 3)) * spline(3, right - (p % 7 - 3));
        }
        return sum;
    }

    /** The uniform B-spline that begins at 0, by Cox and de Boor. */
    private static double spline(int degree, double t) {
        if (degree == 0) {
            return t >= 0 && t < 1 ? 1 : 0;
        }
        return (t * spline(degree - 1, t) + (degree + 1 - t) * spline(degree - 1, t - 1)) / degree;
    }

    private static double bilinear(float[] image, int c, int height, int width, double y, double x) {
        int top = (int) Math.floor(y);
        int left = (int) Math.floor(x);
        double sum = 0;
        for (int corner = 0; corner < 4; corner++) {
            int row = top + corner / 2;
            int column = left + corner % 2;
            boolean outside = row < 0 || column < 0 || row >= height || column >= width;
            double share = (corner / 2 == 0 ? 1 - (y - top) : y - top) * (corner % 2 == 0 ? 1 - (x - left) : x - left);
            sum += share * (outside ? -1 : image[(c * height + row) * width + column]);
        }
        return sum;
    }

    @ParameterizedTest
    @CsvSource({"1,28,28", "3,32,32", "1,1,1", "2,1,9", "1,17,5", "1,64,63"})
    void imagesAreWarpedAsAPlainComputationInDoubleDoesIt(int channels, int height, int width) {
        // A place is off by some ulps of the side; between pixels that differ by 2 at most an image is that steep.
        float bound = 64 * Math.ulp(Math.max(32f, Math.max(height, width))) * 4;
        for (Warp warp : new Warp[]{ALL, new Warp(180, 0.5f, 1, 0), new Warp(0, 0, 0, 5), Warp.NONE}) {
            for (long seed = 0; seed < 10; seed++) {
                assertArrayEquals(reference(warp, channels, height, width, 1.5f, -0.25f, seed),
                        warped(warp, channels, height, width, 1.5f, -0.25f, seed), bound, warp + ", seed " + seed);
            }
        }
    }

    @Test
    void displacementsHaveTheRootMeanSquareThatIsAskedFor() {
        // A ramp that is moved by d changes by d. Seeds are fixed, so the mean is too.
        int side = 101;
        float[] ramp = new float[side * side];
        for (int i = 0; i < ramp.length; i++) {
            ramp[i] = i % side;
        }
        Warper warper = new Warper(new Warp(0, 0, 0, 2), 1, side, side);
        float[] target = new float[ramp.length];
        double sum = 0;
        int count = 0;
        for (long seed = 0; seed < 400; seed++) {
            warper.run(ramp, 0, 0, new float[1], new SplitMix64(seed), target);
            for (int y = 20; y < 81; y++) {
                for (int x = 20; x < 81; x++) {
                    double moved = target[y * side + x] - x;
                    sum += moved * moved;
                    count++;
                }
            }
        }
        assertEquals(2, Math.sqrt(sum / count), 0.1);
    }

    @Test
    void whatAnImageGetsFollowsFromSeedEpochAndIndexAlone() {
        byte[] pixels = new byte[40 * 64];
        new SplittableRandom(3).nextBytes(pixels);
        Dataset data = new Dataset("d", 1, 8, 8, 2, pixels, new byte[40]);
        Augmentation warps = Augmentation.of(new Shift(1, true)).with(ALL);
        try (Region region = Region.confined("test");
                Batches here = Batches.shuffled(data, 8, InputScale.UNIT, warps, 5);
                Batches ahead = Batches.shuffled(data.loaders(3), 8, InputScale.UNIT, warps, 5);
                Batches plain = Batches.shuffled(data, 8, InputScale.UNIT, Augmentation.NONE, 5)) {
            float[] first = epoch(region, here, 1);
            assertArrayEquals(first, epoch(region, ahead, 1));
            assertFalse(Arrays.equals(first, epoch(region, here, 2)));
            assertArrayEquals(first, epoch(region, here, 1));
            assertFalse(Arrays.equals(first, epoch(region, plain, 1)));
        }
    }

    private static float[] epoch(Region region, Batches batches, int epoch) {
        batches.seek(epoch, 0);
        FloatTensor images = region.tensor(8, 1, 8, 8);
        float[] all = new float[40 * 64];
        for (int at = 0; batches.next(images, region.allocate(8L * Integer.BYTES)) > 0; at += 8 * 64) {
            System.arraycopy(images.toArray(), 0, all, at, 8 * 64);
        }
        return all;
    }

    @Test
    void boundsThatAreNoneAreRefusedByName() {
        assertTrue(assertThrows(IllegalArgumentException.class, () -> new Warp(-1, 0, 0, 0)).getMessage()
                .startsWith("rotate cannot be -1.0: it is degrees from 0 to 180"));
        assertThrows(IllegalArgumentException.class, () -> new Warp(0, 1, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> new Warp(0, 0, Float.NaN, 0));
        assertThrows(IllegalArgumentException.class, () -> new Warp(0, 0, 0, Float.POSITIVE_INFINITY));
    }
}
