package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.format.InputScale;
import io.pare.model.ImageShape;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code predict} takes of a picture. */
class ImageReaderTest {
    private static final ImageShape COLOUR = new ImageShape(3, 32, 32);

    @TempDir
    private Path folder;

    /** Red, with a blue rectangle in the middle. */
    private Path picture(int width, int height, int blueWidth, int blueHeight) throws IOException {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.setColor(Color.RED);
        graphics.fillRect(0, 0, width, height);
        graphics.setColor(Color.BLUE);
        graphics.fillRect((width - blueWidth) / 2, (height - blueHeight) / 2, blueWidth, blueHeight);
        graphics.dispose();
        Path file = folder.resolve(width + "x" + height + ".png");
        ImageIO.write(image, "png", file.toFile());
        return file;
    }

    private static double mean(float[] input, int channel) {
        double sum = 0;
        for (int i = 0; i < 32 * 32; i++) {
            sum += input[channel * 32 * 32 + i];
        }
        return sum / (32 * 32);
    }

    @Test
    void ofAPhotographItIsTheMiddleThatEvaluationSees() throws IOException {
        InputScale plain = new InputScale(List.of(0f, 0f, 0f), List.of(1f, 1f, 1f));
        List<String> notes = new ArrayList<>();
        // Seven eighths of the shorter side, as 224 of 256.
        float[] wide = ImageReader.read(picture(400, 64, 56, 56), COLOUR, plain, false, notes::add);
        assertEquals(0, mean(wide, 0), 0);
        assertEquals(1, mean(wide, 2), 1e-6);
        assertTrue(notes.getFirst().contains("has 400 x 64 pixels, 56 x 56 in the middle are brought to 32 x 32"),
                notes.toString());
        float[] tall = ImageReader.read(picture(64, 400, 56, 52), COLOUR, plain, false, notes::add);
        assertTrue(mean(tall, 0) > 0.02 && mean(tall, 0) < 0.1, "no more than that");
        notes.clear();
        float[] whole = ImageReader.read(picture(32, 32, 16, 32), COLOUR, plain, false, notes::add);
        assertEquals(0.5, mean(whole, 0), 1e-6);
        assertTrue(notes.isEmpty(), "a picture of the input's size is taken as it is");
    }
}
