package io.pare.bench;

import ai.djl.ndarray.types.DataType;
import io.pare.exec.backend.Precision;
import io.pare.natives.NativeThreads;
import io.pare.net.Models;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** The bars of training steps: forward, backward and optimiser, on random images. */
final class TrainingBars {
    private static final String GROUP = "training";
    private static final String RESNET = "resnet18:16";
    private static final double LENET_BAR = 2.2;
    /** Longer than OpenMP's idle threads spin, Pare's and libtorch's. */
    private static final double BLOCK = 0.1;

    private final Consumer<Bar> out;
    private final double seconds;

    TrainingBars(Consumer<Bar> out, double seconds) {
        this.out = out;
        this.seconds = seconds;
    }

    /** A step of ours on so many threads, whatever the candidates beside it use. */
    private record Step(Turns.Call before, Turns.Call call) {
        static Step lenet(int threads, int batch) {
            TrainingStepBench.Pare state = TrainingStepBench.Pare.of(threads, batch);
            TrainingStepBench bench = new TrainingStepBench();
            return new Step(() -> NativeThreads.set(threads), () -> bench.pareStep(state));
        }

        static Step resnet(int threads, Precision precision) {
            NetworkStepBench.Pare state = new NetworkStepBench.Pare();
            state.open(NetworkStepBench.Task.of(RESNET, threads, precision));
            NetworkStepBench bench = new NetworkStepBench();
            return new Step(() -> NativeThreads.set(threads), () -> bench.pareStep(state));
        }

        void put(Turns turns, String name) {
            turns.put(name, before, call);
        }
    }

    /** LeNet-5 beside libtorch. */
    void oneThread() throws Throwable {
        againstTorch("LeNet-5 step, batch 64, 1 thread", Step.lenet(1, 64), () -> new TorchLeNet5(1, 64)::step,
                LENET_BAR);
    }

    /** Two threads against one. */
    void twoThreads() throws Throwable {
        gain("LeNet-5 step, batch 64, 2 threads against 1", Step.lenet(1, 64), Step.lenet(2, 64), 1.6);
        gain("ResNet-18 step, batch 16, 2 threads against 1", Step.resnet(1, Precision.FP32),
                Step.resnet(2, Precision.FP32), 1.8);
    }

    private void gain(String what, Step one, Step two, double bar) throws Throwable {
        Turns turns = new Turns(BLOCK);
        one.put(turns, "1");
        two.put(turns, "2");
        Map<String, Turns.Times> times = measure(turns);
        out.accept(Bar.speed(GROUP, what, times.get("2"), "1 thread", times.get("1"), bar));
    }

    /** As many threads as libtorch has. */
    void threads(int threads) throws Throwable {
        againstTorch("LeNet-5 step, batch 256, " + threads + " threads", Step.lenet(threads, 256),
                () -> new TorchLeNet5(threads, 256)::step, 1);
        againstTorch("ResNet-18 step, batch 16, fp32, " + threads + " threads", Step.resnet(threads, Precision.FP32),
                () -> new TorchNetwork(Models.byName("resnet18"), threads, 16)::step, 1);
        String what = "ResNet-18 step, batch 16, bf16, " + threads + " threads";
        Optional<String> obstacle = Precision.BF16.obstacle();
        if (obstacle.isPresent()) {
            out.accept(Bar.missing(GROUP, what, 1, true, obstacle.get()));
            return;
        }
        againstTorch(what, Step.resnet(threads, Precision.BF16),
                () -> new TorchNetwork(Models.byName("resnet18"), threads, 16, DataType.BFLOAT16)::step, 1);
    }

    private interface Peer {
        Turns.Call open() throws Throwable;
    }

    private void againstTorch(String what, Step pare, Peer torch, double bar) throws Throwable {
        String missing = Peers.torchObstacle();
        if (missing != null) {
            out.accept(Bar.missing(GROUP, what, bar, true, missing));
            return;
        }
        Turns turns = new Turns(BLOCK);
        turns.put("torch", torch.open());
        pare.put(turns, "pare");
        Map<String, Turns.Times> times = measure(turns);
        out.accept(Bar.speed(GROUP, what, times.get("pare"), "libtorch", times.get("torch"), bar));
    }

    /** The first time is for the JIT and the libraries, which build what they need in their first steps. */
    private Map<String, Turns.Times> measure(Turns turns) throws Throwable {
        turns.warmUp(seconds / 2);
        return turns.measure(seconds);
    }
}
