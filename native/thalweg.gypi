# How the addon is built for shipping (node-gyp, prebuildify); the root binding.gyp and `thalweg build` include this.
# CMakeLists.txt builds the same sources with the same flags for development; see there for why each flag is set.
{
  "targets": [
    {
      "target_name": "thalweg",
      "sources": ["<!@(node -p \"require('fs').readFileSync('native/sources.txt', 'utf8').trim()\")"],
      "cflags!": ["-O2", "-fno-omit-frame-pointer"],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-fno-exceptions", "-fno-rtti"],
      "cflags_cc": [
        "-std=c++17",
        "-O2",
        "-fpeel-loops",
        "-funswitch-loops",
        "-fvect-cost-model=dynamic",
        "-ffp-contract=off",
        "-fno-math-errno",
        "-fvisibility=hidden",
        "-Wall",
        "-Wextra"
      ],
      "xcode_settings": {
        "CLANG_CXX_LANGUAGE_STANDARD": "c++17",
        "GCC_OPTIMIZATION_LEVEL": "3",
        "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
        "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
        "MACOSX_DEPLOYMENT_TARGET": "11.0",
        "OTHER_CPLUSPLUSFLAGS": ["-ffp-contract=off", "-fno-math-errno", "-Wall", "-Wextra"]
      },
      "msvs_settings": {
        "VCCLCompilerTool": {
          "ExceptionHandling": 1,
          "AdditionalOptions": ["/std:c++17", "/O2", "/fp:precise"]
        }
      },
      "conditions": [["OS == 'linux'", {"ldflags": ["-Wl,-z,nodelete"]}]]
    }
  ]
}
