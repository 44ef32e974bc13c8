package io.pare.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.compress.GradientTraining;
import io.pare.compress.Training;
import io.pare.compress.TrainingOptions;
import io.pare.data.Dataset;
import io.pare.descent.Optimizer;
import io.pare.dnnl.Arg;
import io.pare.dnnl.ConvShape;
import io.pare.dnnl.Convolution;
import io.pare.dnnl.DnnlMemory;
import io.pare.dnnl.Execution;
import io.pare.dnnl.Primitive;
import io.pare.exec.Binding;
import io.pare.exec.Graph;
import io.pare.exec.Graphs;
import io.pare.exec.Tape;
import io.pare.exec.backend.Backends;
import io.pare.infer.CompressedModel;
import io.pare.infer.Session;
import io.pare.mem.FloatTensor;
import io.pare.mem.ForkedJvm;
import io.pare.mem.Region;
import io.pare.natives.Natives;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.PrunedNets;
import io.pare.net.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Closes what another thread computes with, in JVMs of their own: it is refused or the other is, and none crashes. */
@Tag("process")
class CloseInUseTest {
    @Test
    void nothingCrashesThatIsClosedInUse(@TempDir Path folder) throws IOException, InterruptedException {
        closeInUse(folder, ForkedJvm.count(1));
    }

    @Test
    @Tag("long")
    void nothingCrashesInManyJvms(@TempDir Path folder) throws IOException, InterruptedException {
        closeInUse(folder, ForkedJvm.count(100));
    }

    private static void closeInUse(Path folder, int jvms) throws IOException, InterruptedException {
        for (int jvm = 0; jvm < jvms; jvm++) {
            String printed = ForkedJvm.run(folder, Closing.class, Integer.toString(jvm));
            assertTrue(printed.contains("all is closed"), printed);
        }
    }

    /** Computes in one thread until that is refused, and closes in the other until that is not. */
    static final class Closing {
        private static final int ROUNDS = 2;
        private static final Net MODEL = new NetBuilder("small", Shape.of(1, 16, 16)).conv("conv1", 16, 3, 1, 0, true)
                .relu("relu1").maxPool("pool1", 2, 2, 0).flatten("flatten").linear("fc1", 32).relu("relu2")
                .linear("fc2", 4).build();
        private static final int BATCH = 32;

        private final Random random;
        private final boolean useNative = Natives.status().available();
        private int refused;

        private Closing(long seed) {
            this.random = new Random(seed);
        }

        public static void main(String[] arguments) throws InterruptedException {
            Closing closing = new Closing(Long.parseLong(arguments[0]));
            for (int round = 0; round < ROUNDS; round++) {
                closing.trainedNetwork();
                closing.tapesOfANetwork(closing.useNative);
                closing.tapesOfANetwork(false);
                closing.tapeOverTwoRegions();
                closing.gradientTraining();
                closing.model();
                if (closing.useNative) {
                    closing.execution();
                }
            }
            assertTrue(closing.refused > 0, "nothing was closed in use");
            assertEquals(0, Region.liveRegions(), Region::describeLive);
            System.out.println("all is closed, after " + closing.refused + " refusals");
        }

        /** Computes, over and over, until that throws, and closes meanwhile. */
        private void race(Runnable computation, Runnable... closes) throws InterruptedException {
            CountDownLatch computing = new CountDownLatch(3);
            List<Throwable> ends = new ArrayList<>();
            Thread thread = Thread.ofPlatform().start(() -> {
                try {
                    while (true) {
                        computation.run();
                        computing.countDown();
                        // A gap in which closing succeeds.
                        LockSupport.parkNanos(1);
                    }
                } catch (IllegalStateException e) {
                    ends.add(e);
                }
                while (computing.getCount() > 0) {
                    computing.countDown();
                }
            });
            computing.await();
            LockSupport.parkNanos(random.nextInt(2_000_000));
            for (Runnable close : closes) {
                close(close);
            }
            thread.join();
            assertEquals(1, ends.size(), "the computation is refused in the end");
        }

        private void close(Runnable close) {
            while (true) {
                try {
                    close.run();
                    return;
                } catch (IllegalStateException e) {
                    refused++;
                    LockSupport.parkNanos(random.nextInt(100_000));
                }
            }
        }

        private void trainedNetwork() throws InterruptedException {
            byte[] pixels = new byte[4 * BATCH * MODEL.input().features()];
            random.nextBytes(pixels);
            Dataset data = new Dataset("noise", 1, 16, 16, 4, pixels, new byte[4 * BATCH]);
            Network network = Network.create(MODEL, 1, useNative);
            Trainer trainer = new Trainer(network, data, InputScale.UNIT, TrainingSettings.standard(1));
            int[] epochs = {0};
            race(() -> trainer.epoch(epochs[0]++, 0, done -> 1e-3, new Trainer.StepListener() {}), network::close);
            trainer.close();
        }

        private void tapesOfANetwork(boolean onOneDnn) throws InterruptedException {
            Network network = Network.create(MODEL, 1, onOneDnn);
            network.prepare(Optimizer.ADAM);
            Tape training = network.trainingTape(BATCH, false);
            Tape inference = network.inferenceTape(BATCH);
            race(() -> {
                inference.forward(0);
                inference.output();
                training.forward(0);
                training.backward();
                for (Weight weight : network.weights()) {
                    Optimizer.ADAM.step(weight, 1e-3, 1);
                }
            }, network::close);
        }

        private void tapeOverTwoRegions() throws InterruptedException {
            Region parameters = Region.shared("parameters");
            Region own = Region.shared("tape");
            FloatTensor weights = parameters.tensor(128, 128);
            FloatTensor gradient = parameters.tensor(128, 128);
            FloatTensor bias = parameters.tensor(128);
            FloatTensor ofBias = parameters.tensor(128);
            Tape tape = Tape.training(own, Graph.softmaxCrossEntropy(Graphs.linear(Graph.input("x", BATCH, 128),
                    Graph.parameter("w", 128, 128), Graph.parameter("b", 128))), new Binding() {
                        @Override
                        public FloatTensor value(String parameter) {
                            return parameter.equals("w") ? weights : bias;
                        }

                        @Override
                        public FloatTensor gradient(String parameter) {
                            return parameter.equals("w") ? gradient : ofBias;
                        }
                    }, Backends.dense(false));
            race(() -> {
                tape.forward(0);
                tape.backward();
            }, parameters::close, own::close);
        }

        private void gradientTraining() throws InterruptedException {
            Region values = Region.shared("values");
            GradientTraining training = new GradientTraining(3, (batch, variables) -> 0,
                    () -> new Training.Evaluation(0, 0)).weight("w", values.tensor(20_000));
            training.begin(TrainingOptions.DEFAULTS);
            race(() -> training.epoch(0, done -> 1e-3, (step, steps) -> {
            }), random.nextBoolean() ? values::close : training::close);
            values.close();
            training.close();
        }

        private void model() throws InterruptedException {
            CompressedModel model = CompressedModel.of(PrunedNets.lenet5(PrunedNets.KEPT_167X, 4, 0, 1));
            float[] image = new float[model.model().input().features()];
            float[] probabilities = new float[model.model().classes()];
            Session session = model.session();
            race(() -> model.predict(image, 1, probabilities), model::close);
            session.predict(image, probabilities);
        }

        /** What oneDNN runs holds the region by itself. */
        private void execution() throws InterruptedException {
            Region region = Region.shared("convolution");
            Convolution convolution = new Convolution(region, ConvShape.square(8, 16, 16, 16, 3, 1, 1),
                    Convolution.Options.of(false, false));
            Primitive.Binding binding = convolution.forward().bind();
            for (Arg arg : List.of(Arg.SRC, Arg.WEIGHTS, Arg.BIAS, Arg.DST)) {
                binding.with(arg, DnnlMemory.allocate(region, convolution.forward().desc(arg)));
            }
            Execution execution = binding.prepare();
            race(() -> {
                execution.run();
                convolution.forward().implementation();
            }, region::close);
        }
    }
}
