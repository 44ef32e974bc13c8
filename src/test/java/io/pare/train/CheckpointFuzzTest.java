package io.pare.train;

import io.pare.data.Augmentation;
import io.pare.data.Dataset;
import io.pare.descent.Optimizer;
import io.pare.descent.Schedule;
import io.pare.file.FormatException;
import io.pare.fuzz.Fuzz;
import io.pare.fuzz.Mutations;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Shape;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged checkpoints: as whole files, and with headers that are damaged and have the right length. */
class CheckpointFuzzTest {
    private static final Net MODEL = new NetBuilder("tiny", Shape.of(1, 2, 2)).flatten("flatten").linear("fc1", 3)
            .relu("relu1").linear("fc2", 2).build();

    @TempDir
    Path folder;

    private TrainingRun run(Network network) {
        Dataset data = Dataset.synthetic("noise", 16, 1, 2, 2, 2, 1);
        return new TrainingRun(new Trainer(network, data, InputScale.UNIT, new TrainingSettings(4,
                Optimizer.sgd(0.9, 0), false, Augmentation.NONE, null, 3)), data, InputScale.UNIT,
                new TrainingRun.Plan(3, Schedule.constant(0.01)));
    }

    private void fuzz(boolean headers, long inputs) throws IOException {
        try (Network network = Network.create(MODEL, 5, false)) {
            TrainingRun run = run(network);
            int[] steps = {0};
            run.run(new TrainingRun.Listener() {
                @Override
                public boolean step(Trainer.Progress progress) {
                    return ++steps[0] < 6;
                }
            });
            Checkpoint.save(run, folder);
            Path file = folder.resolve(Checkpoint.FILE);
            byte[] whole = Files.readAllBytes(file);
            int header = Math.toIntExact(ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getLong());
            byte[] seed = headers ? Arrays.copyOfRange(whole, Long.BYTES, Long.BYTES + header) : whole;
            byte[] tensors = Arrays.copyOfRange(whole, Long.BYTES + header, whole.length);
            Fuzz fuzz = Fuzz.of(headers ? "headers of checkpoints" : "checkpoints", Mutations.of(List.of(seed))
                    .withWords("-1", "1", "9223372036854775807", "NaN", "0x1p9", "epoch", "batch", "\"", "{}"),
                    input -> {
                        Files.write(file, headers ? withHeader(input, tensors) : input);
                        Checkpoint.restore(run, folder);
                    }, FormatException.class);
            if (inputs > 0) {
                fuzz.run(inputs);
            } else {
                fuzz.runLong();
            }
        }
    }

    private static byte[] withHeader(byte[] header, byte[] tensors) {
        return ByteBuffer.allocate(Long.BYTES + header.length + tensors.length).order(ByteOrder.LITTLE_ENDIAN)
                .putLong(header.length).put(header).put(tensors).array();
    }

    @Test
    void damagedCheckpointsAreReadOrRefused() throws IOException {
        fuzz(false, 500);
        fuzz(true, 1500);
    }

    @Test
    @Tag("long")
    void manyDamagedCheckpointsAreReadOrRefused() throws IOException {
        fuzz(true, 0);
    }
}
