package io.pare.run;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.data.DataException;
import io.pare.descent.Stop;
import io.pare.file.FormatException;
import io.pare.natives.Natives;
import io.pare.net.CompressedWeights;
import io.pare.net.Net;
import io.pare.net.Op;
import io.pare.train.Evaluation;
import io.pare.train.Network;
import io.pare.train.Trainer;
import io.pare.train.TrainingRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingJobTest {
    @TempDir
    Path folder;

    /** Stops in the middle of an epoch. */
    private static TrainingRun.Listener stopAt(int epoch, int batch) {
        return new TrainingRun.Listener() {
            @Override
            public boolean step(Trainer.Progress progress) {
                return progress.epoch() < epoch || progress.batch() < batch;
            }
        };
    }

    private Path train(String name) throws IOException {
        Path path = folder.resolve(name);
        try (RunFolder run = new RunFolder(path);
                TrainingJob job = TrainingJob.fresh(run, OwnNet.SETTINGS, OwnNet.data())) {
            assertTrue(job.run());
            job.finish();
        }
        return path;
    }

    @Test
    void aJobThatIsStoppedAndResumedEndsWithTheSameFiles() throws IOException {
        Path whole = train("whole");
        Path stopped = folder.resolve("stopped");
        try (RunFolder run = new RunFolder(stopped);
                TrainingJob job = TrainingJob.fresh(run, OwnNet.SETTINGS, OwnNet.data())) {
            assertFalse(job.run(stopAt(1, 2)));
            job.save();
        }
        try (RunFolder run = new RunFolder(stopped)) {
            assertTrue(run.unfinished());
            try (TrainingJob job = TrainingJob.resumed(run, run.settings(), OwnNet.data())) {
                job.begin();
                assertEquals(1, job.progress().nextEpoch());
                assertTrue(job.run());
                assertEquals(3, job.history().size());
                job.finish();
            }
            assertFalse(run.unfinished());
        }
        for (String file : List.of("run.json", "weights.safetensors")) {
            assertEquals(-1, Files.mismatch(whole.resolve(file), stopped.resolve(file)), file);
        }
    }

    /** Stopped after some steps in all ways, and gone on with: the files are those of a run that nobody stopped. */
    @Test
    void interruptsDeadlinesAndRequestsStopAtAStepAndSave() throws IOException {
        Path whole = train("whole");
        Path stopped = folder.resolve("stopped");
        List<String> notes = new ArrayList<>();
        AtomicInteger steps = new AtomicInteger();
        TrainingRun.Listener interrupting = new TrainingRun.Listener() {
            @Override
            public boolean step(Trainer.Progress progress) {
                steps.incrementAndGet();
                Thread.currentThread().interrupt();
                return true;
            }
        };
        try (RunFolder run = new RunFolder(stopped);
                TrainingJob job = TrainingJob.fresh(run, OwnNet.SETTINGS, OwnNet.data()).notes(notes::add)) {
            assertFalse(job.run(interrupting));
            assertEquals(1, steps.get());
            assertTrue(Thread.interrupted(), "the interrupt stays");
        }
        for (Stop stop : List.of(Stop.BY_INTERRUPT.after(Duration.ZERO), Stop.BY_INTERRUPT.when(() -> true))) {
            try (RunFolder run = new RunFolder(stopped);
                    TrainingJob job = TrainingJob.resumed(run, run.settings(), OwnNet.data()).notes(notes::add)
                            .stop(stop)) {
                assertFalse(job.run());
            }
        }
        try (RunFolder run = new RunFolder(stopped);
                TrainingJob job = TrainingJob.resumed(run, run.settings(), OwnNet.data()).notes(notes::add)
                        .stop(Stop.BY_INTERRUPT.after(Duration.ofDays(1)).when(() -> false))) {
            job.begin();
            assertEquals(3, job.progress().nextBatch());
            assertTrue(job.run());
            job.finish();
        }
        for (String file : List.of("run.json", "weights.safetensors")) {
            assertEquals(-1, Files.mismatch(whole.resolve(file), stopped.resolve(file)), file);
        }
        assertEquals(List.of("its thread was interrupted", "its deadline has come", "it was asked to stop"),
                notes.stream().map(note -> note.replaceAll("stopped, for (.*): --resume .* goes on", "$1")).toList());
    }

    @Test
    void aRunIsNotResumedWithOtherLayersOfTheSameSizes() throws IOException {
        Path path = train("layers");
        DataSets.Opened own = OwnNet.data();
        Net other = own.model().with(node -> Optional.of(node.op() instanceof Op.Relu ? new Op.Sigmoid() : node.op()));
        try (RunFolder run = new RunFolder(path);
                TrainingJob job = TrainingJob.resumed(run, run.settings(), new DataSets.Opened(own.source(),
                        own.corpus(), other, own.ending(), own.odd()))) {
            FormatException refused = assertThrows(FormatException.class, job::begin);
            assertTrue(refused.getMessage().contains("was made with the layers"), refused.getMessage());
        }
    }

    @Test
    void settingsThatAreLeftOutAreThoseUsualForTheDataAndAreKept() throws IOException {
        assertEquals(new RunSettings.Variation(0, false, OwnNet.data().corpus().augmentation().crop(), false),
                new RunFolder(train("a")).settings().variation());
        assertEquals(DataSettings.Source.SYNTHETIC, new RunFolder(folder.resolve("a")).settings().data().source());
    }

    @Test
    void theFileHoldsWhatWasTested() throws IOException {
        Path path = folder.resolve("a");
        DataSets.Opened data = OwnNet.data();
        Evaluation test;
        try (RunFolder run = new RunFolder(path); TrainingJob job = TrainingJob.fresh(run, OwnNet.SETTINGS, data)) {
            job.run();
            test = job.test();
            job.finish();
        }
        CompressedWeights weights = StoredWeights.of(path).read(OwnNet.MODEL).weights();
        try (Network network = Network.create(OwnNet.MODEL, 1, Natives.enabled())) {
            network.copyFrom(weights);
            assertEquals(test, Evaluation.of(network, data.corpus().test(), weights.scale()));
        }
        // A frozen network may add a linear layer's products in another order: two layers, at most 16 products each.
        Evaluation frozen = Engine.DENSE.evaluate(weights, data.corpus().test(), weights.scale(),
                OwnNet.SETTINGS.precision());
        assertEquals(test.loss(), frozen.loss(), test.loss() * 2 * 16 * Math.ulp(1f));
    }

    @Test
    void anUnfinishedRunIsSetAsideAndAFinishedOneIsBegunWith() throws IOException {
        Path path = folder.resolve("a");
        List<String> notes = new ArrayList<>();
        try (RunFolder run = new RunFolder(path);
                TrainingJob job = TrainingJob.fresh(run, OwnNet.SETTINGS, OwnNet.data()).notes(notes::add)) {
            job.run(stopAt(1, 1));
        }
        Path other = train("other");
        try (RunFolder run = new RunFolder(path);
                TrainingJob job = TrainingJob.fresh(run, OwnNet.SETTINGS, OwnNet.data()).notes(notes::add)
                        .from(StoredWeights.of(other))) {
            job.begin();
            assertEquals(other.resolve("weights.safetensors").toString(), job.settings().from());
        }
        assertEquals(List.of("the unfinished run in " + path + " is kept: --resume " + path.resolve("previous")),
                notes);
    }

    @Test
    void whatCannotBeIsRefusedBeforeTheFolderIsTouched() {
        Path path = folder.resolve("a");
        try (RunFolder run = new RunFolder(path)) {
            TrainingJob tight = TrainingJob.fresh(run, OwnNet.SETTINGS, OwnNet.data()).memory(MemoryFit.of(1 << 20));
            String message = assertThrows(RunException.class, tight::begin).getMessage();
            assertTrue(message.startsWith("--memory-limit 1M does not hold own, batch 16"), message);
            TrainingJob large = TrainingJob.fresh(run, OwnNet.SETTINGS.with(new RunSettings.Steps(1, 67)),
                    OwnNet.data());
            assertEquals("--batch-size 67 is more than the 66 images there are to train on",
                    assertThrows(RunException.class, large::begin).getMessage());
            TrainingJob resumed = TrainingJob.resumed(run, OwnNet.SETTINGS, OwnNet.data());
            assertThrows(RunException.class, () -> resumed.from(new StoredWeights(path, null, false)));
            assertThrows(DataException.class, resumed::begin);
        }
        assertFalse(Files.exists(path));
    }

    @Test
    void callsOutOfOrderAreRefused() throws IOException {
        try (RunFolder run = new RunFolder(folder.resolve("a"));
                TrainingJob job = TrainingJob.fresh(run, OwnNet.SETTINGS, OwnNet.data())) {
            assertThrows(IllegalStateException.class, job::network);
            assertThrows(IllegalStateException.class, job::test);
            job.begin();
            assertThrows(IllegalStateException.class, job::begin);
            assertEquals("the run has done 0 of 3 epochs: call run() until it is done",
                    assertThrows(IllegalStateException.class, job::finish).getMessage());
            assertDoesNotThrow(job::close);
            assertThrows(IllegalStateException.class, job::run);
        }
    }
}
