package io.pare.data;

import io.pare.fuzz.Fuzz;
import io.pare.fuzz.Mutations;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged lists of pictures and their classes. */
class ImageListFuzzTest {
    private static final String LIST = "# file class\na b0.png 2\na b1.png\t0\n\nß.png 10\n";
    private static final String CSV = "\ufefffile,label\na b0.png,cat\nß.png, dog\n";
    private static final ImageFolder.Shape SHAPE = new ImageFolder.Shape(3, 8, 8, 0);

    @TempDir
    Path folder;

    @BeforeEach
    void writePictures() throws IOException {
        for (String name : List.of("a b0.png", "a b1.png", "ß.png")) {
            Pictures.write(folder.resolve(name),
                    Pictures.smooth(8, 8, BufferedImage.TYPE_INT_RGB, name.length()));
        }
    }

    private void read(byte[] list) throws IOException {
        // The same list for both parts, so that their classes agree.
        Files.deleteIfExists(folder.resolve("train.txt"));
        Files.write(folder.resolve("train.csv"), list);
        Files.deleteIfExists(folder.resolve("val.txt"));
        Files.write(folder.resolve("val.csv"), list);
        try {
            ImageFolder.load(folder, SHAPE, OddImages.refused(), 1);
        } catch (DataException e) {
            // Then it may be one without commas.
            Files.write(folder.resolve("train.txt"), list);
            Files.write(folder.resolve("val.txt"), list);
            ImageFolder.load(folder, SHAPE, OddImages.refused(), 1);
        }
    }

    private Fuzz fuzz() {
        return Fuzz.of("lists",
                Mutations.of(List.of(LIST.getBytes(StandardCharsets.UTF_8), CSV.getBytes(StandardCharsets.UTF_8)))
                        .withWords("../", "/", "\0", "999999", "1e9", "\u2028", "\ufeff", ",", "train/",
                                "//etc/passwd"),
                this::read, DataException.class);
    }

    @Test
    void damagedListsAreReadOrRefused() {
        fuzz().run(1500);
    }

    @Test
    @Tag("long")
    void manyDamagedListsAreReadOrRefused() {
        fuzz().runLong();
    }
}
