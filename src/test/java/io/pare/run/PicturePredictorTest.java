package io.pare.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.data.DataException;
import io.pare.data.OddImages;
import io.pare.data.Pictures;
import io.pare.net.CompressedWeights;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.PrunedNets;
import io.pare.net.Shape;
import io.pare.net.Task;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PicturePredictorTest {
    @TempDir
    Path folder;

    private static CompressedWeights weights(Net net) {
        return PrunedNets.of(net, Map.of(), 3, 1, 8);
    }

    private Map<Path, float[]> predict(List<Path> files, int batch, OddImages odd, List<String> notes)
            throws IOException {
        Map<Path, float[]> found = new LinkedHashMap<>();
        try (PicturePredictor classifier = new PicturePredictor(weights(OwnNet.MODEL), Task.CLASSIFY, false, odd,
                notes::add)) {
            assertEquals(classifier.predict(files, batch, (file, answer) -> found.put(file, answer) == null),
                    found.size());
        }
        return found;
    }

    @Test
    void anImageOfClassesIsNoAnswer() {
        Net map = new NetBuilder("map", Shape.of(1, 4, 4)).conv("conv", 3, 3, 1, 0, true).build();
        RunException refused = assertThrows(RunException.class,
                () -> new PicturePredictor(weights(map), Task.CLASSIFY, false, OddImages.refused(), line -> {
                }));
        assertTrue(refused.getMessage().contains("map gives values of 3x2x2, no vector"), refused.getMessage());
    }

    @Test
    void picturesAreAnsweredInTheirOrderWhateverTheBatch() throws IOException {
        for (int i = 0; i < 3; i++) {
            Pictures.write(folder.resolve(i + ".png"),
                    Pictures.smooth(i == 1 ? 9 : 4, 4, BufferedImage.TYPE_BYTE_GRAY, i));
        }
        Files.writeString(folder.resolve("1b.png"), "no picture");
        Files.writeString(folder.resolve("notes.txt"), "left out");
        List<Path> files = PicturePredictor.find(List.of(folder), OddImages.refused());
        assertEquals(4, files.size());
        List<String> notes = new ArrayList<>();
        OddImages skipped = new OddImages(OddImages.Rule.SKIP, OddImages.Rule.CONVERT, line -> {
        });
        Map<Path, float[]> alone = predict(files, 1, skipped, notes);
        assertEquals(List.of("0.png", "1.png", "2.png"),
                alone.keySet().stream().map(file -> file.getFileName().toString()).toList());
        assertEquals(List.of(folder.resolve("1.png") + " has 9 x 4 pixels, brought to 4 x 4"), notes);
        Map<Path, float[]> together = predict(files, 2, skipped, notes);
        alone.forEach((file, answer) -> assertArrayEquals(answer, together.get(file), 1e-6f, file.toString()));
        assertThrows(DataException.class, () -> predict(files, 1, OddImages.refused(), notes));
    }

    @Test
    void whatHoldsNoPictureOrTakesNoneIsRefused() throws IOException {
        Path empty = Files.createDirectory(folder.resolve("empty"));
        assertThrows(DataException.class, () -> PicturePredictor.find(List.of(empty), OddImages.refused()));
        Net two = new NetBuilder("two", Shape.of(2, 4, 4)).flatten("flatten").linear("fc", 3).build();
        assertEquals("pictures have 1 or 3 channels, two takes 2", assertThrows(RunException.class,
                () -> new PicturePredictor(weights(two), Task.CLASSIFY, false, OddImages.refused(), line -> {
                })).getMessage());
    }
}
