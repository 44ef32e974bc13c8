package io.pare.bench;

import ai.djl.engine.Engine;
import ai.onnxruntime.OrtEnvironment;

/** Which peers are there, and which builds of them. */
final class Peers {
    private static final String TORCH = "no libtorch: ";
    private static final String ONNX_RUNTIME = "no ONNX Runtime: ";

    private Peers() {}

    /** Why there is no libtorch; {@code null} if there is. The first use of it fixes its number of threads. */
    static String torchObstacle() {
        String found = torch();
        return found.startsWith(TORCH) ? found : null;
    }

    /** libtorch's version, or why there is none. */
    static String torch() {
        try {
            String threads = System.getenv("OMP_NUM_THREADS");
            return TorchThreads.engine(threads == null ? 1 : Integer.parseInt(threads)).getVersion() + " through DJL "
                    + Engine.getDjlVersion() + ", " + threads + " threads";
        } catch (RuntimeException | LinkageError e) {
            return TORCH + line(e);
        }
    }

    /** Why there is no ONNX Runtime; {@code null} if there is. */
    static String onnxRuntimeObstacle() {
        String found = onnxRuntime();
        return found.startsWith(ONNX_RUNTIME) ? found : null;
    }

    /** ONNX Runtime's version, or why there is none. */
    static String onnxRuntime() {
        try {
            return OrtEnvironment.getEnvironment().getVersion();
        } catch (RuntimeException | LinkageError e) {
            return ONNX_RUNTIME + line(e);
        }
    }

    private static String line(Throwable e) {
        Throwable root = e;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return (root.getClass().getSimpleName() + " " + root.getMessage()).lines().findFirst().orElseThrow();
    }
}
