package io.pare.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ResamplerTest {
    private static final SplitMix64 RANDOM = new SplitMix64(7);

    /** The definition, in doubles and two dimensions at once: resize the whole picture, then take the middle. */
    @ParameterizedTest
    @CsvSource({"32,32,32,32,1", "50,40,20,20,1", "64,48,24,24,1.142857", "37,91,16,20,1.142857", "9,7,24,24,1",
        "300,200,32,32,1.25", "33,32,32,32,1", "1,1,5,5,1", "2,500,8,8,1"})
    void resizingAndCroppingIsWhatItsDefinitionSays(int width, int height, int outWidth, int outHeight, double border) {
        byte[] pixels = noise(width * height);
        PixelView view = new PixelView(1);
        view.planar(pixels, 0, height, width);
        Resampler resampler = new Resampler(outHeight, outWidth, border);
        float[] out = new float[outWidth * outHeight];
        resampler.frame(width, height, Crop.CENTER, RANDOM);
        resampler.run(view, 0, out, 0);
        double scale = Math.max(border * outHeight / height, border * outWidth / width);
        int tall = Math.max(outHeight, (int) Math.round(height * scale));
        int wide = Math.max(outWidth, (int) Math.round(width * scale));
        for (int y = 0; y < outHeight; y++) {
            for (int x = 0; x < outWidth; x++) {
                double expected = at(pixels, width, height, x + (wide - outWidth) / 2, y + (tall - outHeight) / 2,
                        (double) width / wide, (double) height / tall);
                assertEquals(expected, out[y * outWidth + x], 1e-3, x + "," + y);
            }
        }
    }

    @Test
    void aPictureOfTheInputsSizeStaysAsItIs() {
        byte[] pixels = noise(40 * 30);
        PixelView view = new PixelView(1);
        view.planar(pixels, 0, 30, 40);
        float[] out = new float[40 * 30];
        Resampler resampler = new Resampler(30, 40, 1);
        resampler.frame(40, 30, Crop.RANDOM, RANDOM);
        resampler.run(view, 0, out, 0);
        for (int p = 0; p < out.length; p++) {
            assertEquals(pixels[p] & 0xff, out[p]);
        }
    }

    @Test
    void interleavedAndPlanarPixelsGiveTheSame() {
        byte[] planes = noise(3 * 50 * 40);
        byte[] mixed = new byte[planes.length];
        for (int c = 0; c < 3; c++) {
            for (int p = 0; p < 2000; p++) {
                mixed[p * 3 + 2 - c] = planes[c * 2000 + p];
            }
        }
        PixelView planar = new PixelView(3);
        planar.planar(planes, 0, 40, 50);
        PixelView interleaved = new PixelView(3);
        interleaved.bytes = mixed;
        interleaved.width = 50;
        interleaved.height = 40;
        interleaved.pixelStride = 3;
        interleaved.rowStride = 150;
        Resampler resampler = new Resampler(20, 20, 1);
        float[] a = new float[1200];
        float[] b = new float[1200];
        for (int c = 0; c < 3; c++) {
            interleaved.first[c] = 2 - c;
            resampler.frame(50, 40, Crop.CENTER, RANDOM);
            resampler.run(planar, c, a, c * 400);
            resampler.run(interleaved, c, b, c * 400);
        }
        assertArrayEquals(a, b);
    }

    /** On a ramp the output says which part was taken: its first and last values are its place and size. */
    @Test
    void randomPartsCoverTheirRanges() {
        int width = 120;
        int height = 90;
        byte[] ramp = new byte[2 * width * height];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                ramp[y * width + x] = (byte) x;
                ramp[width * height + y * width + x] = (byte) y;
            }
        }
        PixelView view = new PixelView(2);
        view.planar(ramp, 0, height, width);
        Resampler resampler = new Resampler(30, 30, 1.2);
        float[] out = new float[1800];
        double leastArea = 1;
        double mostArea = 0;
        double leastRatio = 10;
        double mostRatio = 0;
        double leastLeft = 200;
        double mostLeft = 0;
        for (int i = 0; i < 3000; i++) {
            resampler.frame(width, height, Crop.RESIZED, RANDOM);
            resampler.run(view, 0, out, 0);
            resampler.run(view, 1, out, 900);
            double wide = (out[20] - out[10]) / 10 * 30;
            double tall = (out[900 + 20 * 30] - out[900 + 10 * 30]) / 10 * 30;
            double left = out[0] + 0.5 - wide / 60;
            assertTrue(out[0] >= 0 && out[29] <= width - 1 && out[900] >= 0 && out[1799] <= height - 1);
            leastArea = Math.min(leastArea, wide * tall / width / height);
            mostArea = Math.max(mostArea, wide * tall / width / height);
            leastRatio = Math.min(leastRatio, wide / tall);
            mostRatio = Math.max(mostRatio, wide / tall);
            leastLeft = Math.min(leastLeft, left);
            mostLeft = Math.max(mostLeft, left);
        }
        assertEquals(0.08, leastArea, 0.01);
        assertEquals(1, mostArea, 0.05);
        assertEquals(3.0 / 4, leastRatio, 0.03);
        assertEquals(4.0 / 3, mostRatio, 0.05);
        assertTrue(leastLeft < 2 && mostLeft > 75, leastLeft + " " + mostLeft);
    }

    private static double at(byte[] pixels, int width, int height, int x, int y, double stepX, double stepY) {
        double sum = 0;
        double weights = 0;
        for (int v = 0; v < height; v++) {
            double down = triangle(v, (y + 0.5) * stepY, stepY);
            for (int u = 0; u < width && down > 0; u++) {
                double weight = down * triangle(u, (x + 0.5) * stepX, stepX);
                sum += weight * (pixels[v * width + u] & 0xff);
                weights += weight;
            }
        }
        return sum / weights;
    }

    private static double triangle(int pixel, double center, double step) {
        return Math.max(0, 1 - Math.abs(pixel + 0.5 - center) / Math.max(1, step));
    }

    private static byte[] noise(int count) {
        byte[] bytes = new byte[count];
        new SplittableRandom(3).nextBytes(bytes);
        return bytes;
    }
}
