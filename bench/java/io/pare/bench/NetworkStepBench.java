package io.pare.bench;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.pare.descent.Optimizer;
import io.pare.descent.Update;
import io.pare.exec.Tape;
import io.pare.exec.backend.Precision;
import io.pare.mem.FloatTensor;
import io.pare.natives.NativeThreads;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.train.Network;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One training step of an ImageNet-size network, ours and libtorch's: same layers, batch and threads, fp32, SGD with
 * momentum and weight decay.
 *
 * <p>The batch is there before the step in both. Images per second are the batch over the time. Pin the process to as
 * many cores as threads.
 */
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2)
@Measurement(iterations = 4)
@Fork(value = 1, jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class NetworkStepBench {
    /** Name and batch, which go together. */
    @State(Scope.Benchmark)
    public static class Task {
        @Param({"alexnet-torchvision:32", "vgg16:8", "resnet18:16", "mobilenet-v2:16"})
        private String network;
        @Param({"1", "2"})
        private int threads;
        /** Of our steps; libtorch's are fp32. */
        @Param("fp32")
        private String precision;

        /** The state outside JMH; the network's name and batch as above. */
        static Task of(String network, int threads, Precision precision) {
            Task task = new Task();
            task.network = network;
            task.threads = threads;
            task.precision = precision.toString();
            return task;
        }

        Net model() {
            return Models.byName(network.substring(0, network.indexOf(':')));
        }

        int batch() {
            return Integer.parseInt(network.substring(network.indexOf(':') + 1));
        }
    }

    /** Ours. */
    @State(Scope.Benchmark)
    public static class Pare {
        private final Optimizer optimizer = Optimizer.sgd(0.9, 5e-4);
        private Network network;
        private Tape tape;
        private Update update;
        private long steps;

        @Setup(Level.Trial)
        public void open(Task task) {
            NativeThreads.set(task.threads);
            network = Network.create(task.model(), 1, true);
            network.prepare(optimizer);
            tape = network.trainingTape(task.batch(), true,
                    Precision.valueOf(task.precision.toUpperCase(Locale.ROOT)));
            Random random = new Random(1);
            FloatTensor images = tape.input(Network.IMAGES);
            for (long i = 0; i < images.count(); i++) {
                images.set(i, (float) random.nextGaussian());
            }
            for (int i = 0; i < task.batch(); i++) {
                tape.labels().setAtIndex(JAVA_INT, i, random.nextInt(task.model().classes()));
            }
            update = new Update(network.weights().stream().filter(weight -> weight.parameter().trained()).toList());
        }

        @TearDown(Level.Trial)
        public void close() {
            update.close();
            network.close();
        }

        double forwardBackward() {
            tape.forward(steps++);
            tape.backward();
            return tape.loss();
        }
    }

    /** The peer. */
    @State(Scope.Benchmark)
    public static class Torch {
        private TorchNetwork network;

        @Setup(Level.Trial)
        public void open(Task task) {
            network = new TorchNetwork(task.model(), task.threads, task.batch());
        }

        @TearDown(Level.Trial)
        public void close() {
            network.close();
        }
    }

    /** Forward, backward, optimiser. */
    @Benchmark
    public double pareStep(Pare pare) {
        double loss = pare.forwardBackward();
        pare.update.step(pare.optimizer, 1e-4, pare.steps);
        return loss;
    }

    /** Without the optimiser. */
    @Benchmark
    public double pareForwardBackward(Pare pare) {
        return pare.forwardBackward();
    }

    /** Forward, backward, DJL's optimiser. */
    @Benchmark
    public float torchStep(Torch torch) {
        return torch.network.step();
    }

    /** Without the optimiser, which DJL composes of several libtorch calls. */
    @Benchmark
    public float torchForwardBackward(Torch torch) {
        return torch.network.forwardBackward();
    }
}
