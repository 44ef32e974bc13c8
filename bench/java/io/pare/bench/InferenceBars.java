package io.pare.bench;

import io.pare.natives.NativeThreads;
import java.util.Map;
import java.util.function.Consumer;

/** The bars of predictions, on one thread beside ONNX Runtime. */
final class InferenceBars {
    private static final String GROUP = "inference";
    private static final double BLOCK = 0.02;

    private final Consumer<Bar> out;
    private final double seconds;

    InferenceBars(Consumer<Bar> out, double seconds) {
        this.out = out;
        this.seconds = seconds;
    }

    void run() throws Throwable {
        NativeThreads.set(1);
        for (int batch : new int[]{1, 256}) {
            String what = "LeNet-5 pruned 167 times, batch " + batch;
            if (Peers.onnxRuntimeObstacle() != null) {
                out.accept(Bar.missing(GROUP, what, 7, true, Peers.onnxRuntimeObstacle()));
                continue;
            }
            InferBench state = InferBench.of(batch);
            Turns turns = new Turns(BLOCK);
            turns.put("pare", state::compressed);
            turns.put("ort", state::denseInOnnxRuntime);
            Map<String, Turns.Times> times = measure(turns);
            out.accept(Bar.speed(GROUP, what, times.get("pare"), "ONNX Runtime, dense", times.get("ort"), 7));
            state.close();
        }
        for (String name : new String[]{"lenet5", "resnet18"}) {
            for (int batch : new int[]{1, 16}) {
                String what = name + " dense, batch " + batch;
                if (Peers.onnxRuntimeObstacle() != null) {
                    out.accept(Bar.missing(GROUP, what, 0.9, true, Peers.onnxRuntimeObstacle()));
                    continue;
                }
                Turns turns = new Turns(BLOCK);
                try (AutoCloseable _ = OnnxInferBench.candidates(name, batch, turns)) {
                    Map<String, Turns.Times> times = measure(turns);
                    out.accept(Bar.speed(GROUP, what, times.get("pare"), "ONNX Runtime", times.get("ort"), 0.9));
                }
            }
        }
    }

    private Map<String, Turns.Times> measure(Turns turns) throws Throwable {
        turns.warmUp(seconds);
        return turns.measure(seconds);
    }
}
