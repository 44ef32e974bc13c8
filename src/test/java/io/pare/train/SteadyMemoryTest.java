package io.pare.train;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.data.Dataset;
import io.pare.natives.Natives;
import io.pare.net.InputScale;
import io.pare.net.Models;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** LeNet-5 for 5,000 steps in the resident memory that it had after the first 1,000. */
@Tag("long")
class SteadyMemoryTest {
    private static final Path STATUS = Path.of("/proc/self/status");

    @Test
    void residentMemoryStaysFlat() throws IOException {
        Assumptions.assumeTrue(Files.exists(STATUS), "resident memory is read from /proc");
        Random random = new Random(1);
        int images = 64 * 500;
        byte[] pixels = new byte[images * 28 * 28];
        random.nextBytes(pixels);
        byte[] labels = new byte[images];
        for (int i = 0; i < images; i++) {
            labels[i] = (byte) random.nextInt(10);
        }
        Dataset data = new Dataset("noise", 1, 28, 28, 10, pixels, labels);
        try (Network network = Network.create(Models.lenet5(), 1, Natives.status().available())) {
            Trainer trainer = new Trainer(network, data, InputScale.UNIT, TrainingSettings.standard(1));
            Trainer.StepListener nothing = new Trainer.StepListener() {};
            for (int epoch = 0; epoch < 2; epoch++) {
                trainer.epoch(epoch, 0, done -> 1e-4, nothing);
            }
            System.gc();
            long before = residentKilobytes();
            for (int epoch = 2; epoch < 12; epoch++) {
                trainer.epoch(epoch, 0, done -> 1e-4, nothing);
            }
            System.gc();
            long after = residentKilobytes();
            System.out.println("resident memory: " + before + " kB, 5,000 steps later " + after + " kB");
            assertTrue(after <= before * 1.01, before + " kB before, " + after + " kB after 5,000 steps");
        }
    }

    private static long residentKilobytes() throws IOException {
        for (String line : Files.readAllLines(STATUS)) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        throw new IOException("no VmRSS in " + STATUS);
    }
}
